#include "controller/experiment/judge.h"

#include <algorithm>
#include <iterator>

#include "controller/experiment/findings.h"
#include "controller/experiment/probe_summary.h"
#include "controller/experiment/units.h"

namespace faultline {
namespace {

struct Group {
  std::vector<Finding> findings;

  const Finding* first(FindingResult result) const {
    const auto found = std::find_if(findings.begin(), findings.end(),
                                    [&](const Finding& finding) { return finding.result == result; });
    return found == findings.end() ? nullptr : &*found;
  }
};

struct Groups {
  Group baseline, effect, start, fidelity, tolerance, recovery, stop, residue;
};

struct Verdict {
  Outcome outcome;
  int exit_code;
  std::string reason;
};

std::string text_of(const Finding& finding) {
  return fmt::format("{}: {}", finding.check, finding.message);
}

// When the last fault was removed; unset while one is not known to be gone, or when there was none.
std::optional<Nanos> last_removal(const RunRecord& record) {
  std::optional<Nanos> last;
  for (const FaultOutcome& fault : record.faults) {
    if (!fault.effective_at) continue;
    if (!fault.removed_at) return std::nullopt;
    if (!last || *fault.removed_at > *last) last = fault.removed_at;
  }
  return last;
}

// The test stack's own trouble; empty: none. `groups` tells whether the cleanup is proved.
std::string infrastructure_trouble(const Experiment& experiment, const RunRecord& record,
                                   const Groups& groups) {
  const Finding* unproved = groups.residue.first(FindingResult::kUnknown);
  const std::string proved =
      record.faults.empty() ? "nothing was injected" : "all faults are removed, residue: none";
  if (record.interruption == Interruption::kInfrastructure) {
    return fmt::format("{}; {}", record.interruption_detail,
                       unproved != nullptr ? text_of(*unproved) : proved);
  }
  if (unproved != nullptr) return text_of(*unproved);
  // A precondition that fails with a fault already in place is not the "nothing was injected" of exit code 3.
  if (record.interruption == Interruption::kPrecondition && !record.faults.empty()) {
    return fmt::format("{}; {}", record.interruption_detail, proved);
  }
  for (const FaultStep* step : fault_steps(experiment.method)) {
    const FaultOutcome* fault = outcome_of(record, *step);
    if (fault == nullptr) continue;
    if (fault->status.end_reason() == v1::END_REASON_LEASE) {
      return fmt::format("fault {} ended because its lease was not renewed; {}", step->name, proved);
    }
    if (fault->status.end_reason() == v1::END_REASON_SHUTDOWN) {
      return fmt::format("fault {} ended because the agent was shut down; {}", step->name, proved);
    }
  }
  return "";
}

// How a run that was ended early on purpose is told; exit code 0: it was not.
Verdict stopped(const RunRecord& record, const Groups& groups) {
  constexpr int kStopped = 5;
  constexpr int kSignalled = 130;
  const std::string& detail = record.interruption_detail;
  switch (record.interruption) {
    case Interruption::kStopCondition:
      return {Outcome::kStopped, kStopped, fmt::format("stopped: {}", detail)};
    case Interruption::kHalt:
      return {Outcome::kStopped, kStopped, fmt::format("halted: {}", detail)};
    case Interruption::kSignal:
      return {Outcome::kStopped, kSignalled, fmt::format("interrupted by {}; the cleanup is proved", detail)};
    default:
      break;
  }
  if (const Finding* fired = groups.stop.first(FindingResult::kViolated)) {
    return {Outcome::kStopped, kStopped, fmt::format("stopped: {}", fired->message)};
  }
  return {Outcome::kStopped, 0, ""};
}

// The worst that is true wins.
Verdict decide(const Experiment& experiment, const RunRecord& record, const Groups& groups) {
  if (const Finding* left = groups.residue.first(FindingResult::kViolated)) {
    return {Outcome::kResidue, 6, text_of(*left)};
  }
  if (std::string trouble = infrastructure_trouble(experiment, record, groups); !trouble.empty()) {
    return {Outcome::kInfrastructure, 7, std::move(trouble)};
  }
  if (Verdict verdict = stopped(record, groups); verdict.exit_code != 0) return verdict;
  if (record.interruption == Interruption::kPrecondition) {
    return {Outcome::kPrecondition, 3, fmt::format("nothing was injected: {}", record.interruption_detail)};
  }
  for (const Group* group : {&groups.tolerance, &groups.recovery}) {
    if (const Finding* violated = group->first(FindingResult::kViolated)) {
      return {Outcome::kFailed, 1, text_of(*violated)};
    }
  }
  for (const Group* group : {&groups.effect, &groups.baseline}) {
    if (const Finding* violated = group->first(FindingResult::kViolated)) {
      return {Outcome::kInconclusive, 4, text_of(*violated)};
    }
  }
  for (const Group* group : {&groups.effect, &groups.start, &groups.fidelity, &groups.baseline,
                             &groups.tolerance, &groups.recovery, &groups.stop}) {
    if (const Finding* unknown = group->first(FindingResult::kUnknown)) {
      return {Outcome::kInconclusive, 4, text_of(*unknown)};
    }
  }
  return {
      Outcome::kPassed, 0,
      fmt::format("every probe stayed within its tolerance and was healthy again within {} of the removal",
                  format_duration(experiment.recovery.within))};
}

}  // namespace

Judgement judge(const Experiment& experiment, const RunRecord& record) {
  std::optional<RecoveryWatch> recovery;
  if (const std::optional<Nanos> removed_at = last_removal(record)) {
    recovery.emplace(experiment, *removed_at);
    for (const Sample& sample : record.samples) recovery->feed(sample);
  }
  const RecoveryWatch* watch = recovery ? &*recovery : nullptr;

  Judgement judgement;
  for (std::size_t probe = 0; probe < experiment.steady_state.probes.size(); ++probe) {
    judgement.probes.push_back(summarize_probe(experiment, record, probe, watch));
  }
  Groups groups;
  groups.baseline.findings = baseline_findings(experiment, record);
  groups.effect.findings = effect_findings(experiment, record);
  groups.start.findings = start_findings(experiment, record);
  groups.fidelity.findings = fidelity_findings(experiment, record);
  groups.tolerance.findings = tolerance_findings(experiment, judgement.probes);
  groups.recovery.findings = recovery_findings(experiment, record, watch);
  groups.stop.findings = stop_findings(experiment, record);
  groups.residue.findings = residue_findings(experiment, record);

  Verdict verdict = decide(experiment, record, groups);
  judgement.outcome = verdict.outcome;
  judgement.exit_code = verdict.exit_code;
  judgement.reason = std::move(verdict.reason);
  for (Group* group : {&groups.baseline, &groups.effect, &groups.start, &groups.fidelity, &groups.tolerance,
                       &groups.recovery, &groups.stop, &groups.residue}) {
    std::move(group->findings.begin(), group->findings.end(), std::back_inserter(judgement.findings));
  }
  return judgement;
}

}  // namespace faultline
