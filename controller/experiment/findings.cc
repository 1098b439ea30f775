#include "controller/experiment/findings.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "controller/experiment/baseline_watch.h"
#include "controller/experiment/describe.h"
#include "controller/experiment/probe_summary.h"
#include "controller/experiment/shadow.h"
#include "controller/experiment/stop_watch.h"
#include "controller/experiment/units.h"

namespace faultline {
namespace {

constexpr double kRounding = 1e-9;  // 0.3% and 3 of 1000 samples differ in the last bit

Finding probe_finding(const char* group, const Probe& probe, FindingResult result, std::string message) {
  return {fmt::format("{}/{}", group, probe.name), result, std::move(message)};
}

// What the kernel counted, and where it measured, how near it came to what was asked.
std::string effect_text(const v1::FaultStatus& status) {
  const v1::Counters& counters = status.counters();
  std::string text = fmt::format("{} injected of {} matched, {} evaluated", counters.injected(),
                                 counters.matched(), counters.evaluated());
  for (const v1::Achieved& achieved : status.achieved()) {
    if (achieved.samples() == 0) continue;
    text += fmt::format("; {} {:.4g} {} for {:.4g} {} requested", achieved.name(), achieved.median(),
                        achieved.unit(), achieved.requested(), achieved.unit());
  }
  return text;
}

// Without a confirmed end the last counters may be old.
Finding not_effective(const Experiment& experiment, const RunRecord& record, const FaultStep& step,
                      const FaultOutcome& fault, Finding finding) {
  if (fault.removed_at) finding.result = FindingResult::kViolated;
  finding.message = fmt::format("not effective: {}", finding.message);
  const std::string shadow = shadow_text(experiment, record, step);
  if (!shadow.empty()) finding.message += fmt::format("; {}", shadow);
  return finding;
}

Finding effect_finding(const Experiment& experiment, const RunRecord& record, const FaultStep& step) {
  const FaultOutcome* fault = outcome_of(record, step);
  Finding finding{fmt::format("effect/{}", step.name), FindingResult::kUnknown, "it was never injected"};
  if (fault == nullptr) return finding;
  if (!fault->effective_at) {
    finding.message = fmt::format("it could not be applied: {}", fault->error);
    return finding;
  }
  if (never_started(*fault)) {
    finding.message = "it was armed, and ended before its start";
    return finding;
  }
  finding.message = effect_text(fault->status);
  if (fault->status.counters().injected() == 0) {
    return not_effective(experiment, record, step, *fault, std::move(finding));
  }
  if (fault->status.end_reason() == v1::END_REASON_TARGET_GONE) {
    finding.message = fmt::format("it ended early because its target went away; {}", finding.message);
  } else {
    finding.result = FindingResult::kHeld;
  }
  return finding;
}

Finding residue_finding(const FaultStep& step, const FaultOutcome* fault) {
  Finding finding{fmt::format("residue/{}", step.name), FindingResult::kUnknown, ""};
  if (fault == nullptr) {
    finding.result = FindingResult::kHeld;
    finding.message = "none: it was never injected";
  } else if (fault->status.residue_size() > 0) {
    finding.result = FindingResult::kViolated;
    finding.message = fmt::format("left behind: {}", fmt::join(fault->status.residue(), "; "));
  } else if (!fault->effective_at) {
    finding.message = fmt::format("not proved: it is not certain that it was not applied ({})",
                                  fault->error.empty() ? "no answer" : fault->error);
  } else if (!fault->removed_at) {
    finding.message = fmt::format(
        "not proved: its removal was not confirmed ({}); the kernel ends the effect at its deadline",
        fault->error.empty() ? "no answer" : fault->error);
  } else if (!fault->status.residue_checked()) {
    finding.message =
        "not proved: it was removed, but the target's kernel state was not compared with that before";
  } else {
    finding.result = FindingResult::kHeld;
    finding.message = "none";
  }
  return finding;
}

}  // namespace

const FaultOutcome* outcome_of(const RunRecord& record, const FaultStep& step) {
  const auto found = std::find_if(record.faults.begin(), record.faults.end(),
                                  [&](const FaultOutcome& fault) { return fault.name == step.name; });
  return found == record.faults.end() ? nullptr : &*found;
}

std::vector<Finding> baseline_findings(const Experiment& experiment, const RunRecord& record) {
  BaselineWatch watch(experiment);
  for (const Sample& sample : record.samples) watch.feed(sample);
  // Without this the run ended before the baseline did, for another reason: then nothing is known.
  const bool decided = record.interruption == Interruption::kPrecondition || !record.faults.empty();
  std::vector<Finding> findings;
  const std::vector<Probe>& probes = experiment.steady_state.probes;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    if (watch.steady(i)) {
      const std::string length = format_duration(experiment.steady_state.baseline);
      findings.push_back(
          probe_finding("baseline", probes[i], FindingResult::kHeld, fmt::format("healthy for {}", length)));
    } else {
      findings.push_back(probe_finding("baseline", probes[i],
                                       decided ? FindingResult::kViolated : FindingResult::kUnknown,
                                       watch.why_not(i)));
    }
  }
  return findings;
}

std::vector<Finding> effect_findings(const Experiment& experiment, const RunRecord& record) {
  std::vector<Finding> findings;
  for (const FaultStep* step : fault_steps(experiment.method)) {
    findings.push_back(effect_finding(experiment, record, *step));
  }
  return findings;
}

std::vector<Finding> tolerance_findings(const Experiment& experiment,
                                        const std::vector<ProbeSummary>& summaries) {
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const Probe& probe = experiment.steady_state.probes[i];
    const ProbeSummary& summary = summaries[i];
    if (summary.samples == 0) {
      findings.push_back(
          probe_finding("tolerance", probe, FindingResult::kUnknown, "no sample while faults were active"));
      continue;
    }
    const bool held = summary.degraded_share <= probe.tolerance.degraded + kRounding &&
                      summary.unhealthy_share <= probe.tolerance.unhealthy + kRounding;
    findings.push_back(probe_finding(
        "tolerance", probe, held ? FindingResult::kHeld : FindingResult::kViolated,
        fmt::format("of {} samples {:.4g}% degraded ({:.4g}% allowed), {:.4g}% unhealthy or unknown ({:.4g}% "
                    "allowed)",
                    summary.samples, summary.degraded_share * 100, probe.tolerance.degraded * 100,
                    summary.unhealthy_share * 100, probe.tolerance.unhealthy * 100)));
  }
  return findings;
}

std::vector<Finding> recovery_findings(const Experiment& experiment, const RunRecord& record,
                                       const RecoveryWatch* recovery) {
  std::vector<Finding> findings;
  const std::vector<Probe>& probes = experiment.steady_state.probes;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    FindingResult result = FindingResult::kUnknown;
    std::string message = "there was no confirmed removal to recover from";
    if (recovery != nullptr && recovery->recovered(i)) {
      result = FindingResult::kHeld;
      message =
          fmt::format("healthy again {} after the removal", describe(recovery->time_to_recover(i).value()));
    } else if (recovery != nullptr) {
      message = recovery->why_not(i);
      if (!recovery->too_late(i, record.duration)) {
        message += "; the run ended before this was decided";
      } else {
        result = FindingResult::kViolated;
        message += fmt::format("; it had {} to get healthy", format_duration(experiment.recovery.within));
      }
    }
    findings.push_back(probe_finding("recovery", probes[i], result, std::move(message)));
  }
  return findings;
}

std::vector<Finding> stop_findings(const Experiment& experiment, const RunRecord& record) {
  StopWatch watch(experiment);
  for (const Sample& sample : record.samples) watch.feed(sample);
  const bool watched = std::any_of(record.samples.begin(), record.samples.end(), while_active);
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < experiment.stop_conditions.size(); ++i) {
    const StopCondition& rule = experiment.stop_conditions[i];
    const char* state = rule.state == HealthState::kDegraded ? "degraded" : "unhealthy";
    Finding finding{fmt::format("stop/{}/{}", rule.probe, state), FindingResult::kUnknown,
                    "no fault was active"};
    if (watch.fired(i)) {
      finding.result = FindingResult::kViolated;
      finding.message = *watch.fired(i);
    } else if (watched) {
      finding.result = FindingResult::kHeld;
      finding.message = "did not fire";
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> residue_findings(const Experiment& experiment, const RunRecord& record) {
  std::vector<Finding> findings;
  for (const FaultStep* step : fault_steps(experiment.method)) {
    findings.push_back(residue_finding(*step, outcome_of(record, *step)));
  }
  return findings;
}

}  // namespace faultline
