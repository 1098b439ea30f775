#include <algorithm>
#include <array>

#include "controller/report/escape.h"
#include "controller/report/format.h"
#include "controller/report/report.h"

namespace faultline {
namespace {

constexpr std::size_t kMaxFindings = 16;
constexpr std::size_t kMaxFaults = 6;
constexpr std::size_t kMaxProbes = 8;

std::string row(std::initializer_list<std::string> cells) {
  std::string out = "|";
  for (const std::string& cell : cells) out += fmt::format(" {} |", cell);
  return out + "\n";
}

std::string more(std::size_t all, std::size_t shown, std::string_view what) {
  return all > shown ? fmt::format("\n... and {} more {} in journal.json\n", all - shown, what) : "";
}

std::string heading(const Experiment& experiment, const RunRecord& run) {
  std::string out = fmt::format("# {}: {}\n\n{}\n\n", to_string(run.judgement.outcome),
                                markdown_escape(run.experiment), markdown_escape(run.judgement.reason));
  out += fmt::format("Run `{}`, started {}, took {}, exit code {}.", run.id,
                     iso8601(run.started).substr(0, 19) + "Z", duration_text(run.duration),
                     run.judgement.exit_code);
  if (!run.kernel_release.empty()) {
    out += fmt::format(" Agent {} {}, kernel {}.", markdown_escape(run.agent),
                       markdown_escape(run.agent_version), markdown_escape(run.kernel_release));
  }
  if (run.node_clock) out += fmt::format(" Node clock {}.", clock_text(*run.node_clock));
  if (run.interruption != Interruption::kNone) {
    out += fmt::format("\n\nInterrupted by {}: {}", to_string(run.interruption),
                       markdown_escape(run.interruption_detail));
  }
  if (!experiment.description.empty()) out += "\n\n" + markdown_escape(experiment.description);
  return out + "\n";
}

// What did not hold comes first, so that a cut never hides it.
std::string findings_table(const std::vector<Finding>& findings) {
  if (findings.empty()) return "";
  std::vector<const Finding*> sorted;
  for (const Finding& finding : findings) sorted.push_back(&finding);
  const auto rank = [](const Finding* finding) {
    return finding->result == FindingResult::kViolated  ? 0
           : finding->result == FindingResult::kUnknown ? 1
                                                        : 2;
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Finding* a, const Finding* b) { return rank(a) < rank(b); });
  const std::size_t shown = std::min(sorted.size(), kMaxFindings);
  std::string out = "\n## Findings\n\n| result | check | what was seen |\n| --- | --- | --- |\n";
  for (std::size_t k = 0; k < shown; ++k) {
    out += row({to_string(sorted[k]->result), markdown_escape(sorted[k]->check),
                markdown_escape(sorted[k]->message)});
  }
  return out + more(findings.size(), shown, "findings");
}

std::string achieved_text(const v1::FaultStatus& status) {
  std::string out;
  for (const v1::Achieved& value : status.achieved()) {
    const std::string unit = markdown_escape(value.unit());
    out += fmt::format("{}{}: requested {} {}, ", out.empty() ? "" : "; ", markdown_escape(value.name()),
                       number_text(value.requested()), unit);
    out += value.samples() == 0
               ? "not measured"
               : fmt::format("achieved {} {} ({} to {}, {} samples)", number_text(value.median()), unit,
                             number_text(value.p05()), number_text(value.p95()), value.samples());
  }
  return out.empty() ? "-" : out;
}

std::string residue_text(const v1::FaultStatus& status) {
  if (!status.residue_checked()) return "not checked";
  if (status.residue().empty()) return "none";
  std::string out;
  for (const std::string& line : status.residue()) out += (out.empty() ? "" : "; ") + markdown_escape(line);
  return out;
}

std::string active_text(const FaultOutcome& fault) {
  if (!fault.effective_at) {
    return "never" + (fault.error.empty() ? "" : ": " + markdown_escape(fault.error));
  }
  if (never_started(fault)) return "armed, never started";
  const std::string from = duration_text(*fault.effective_at);
  if (fault.removed_at) return from + " to " + duration_text(*fault.removed_at);
  return fmt::format("{} to ? (removal not confirmed{})", from,
                     fault.error.empty() ? "" : ": " + markdown_escape(fault.error));
}

std::string faults_table(const std::vector<FaultOutcome>& faults) {
  if (faults.empty()) return "";
  const std::size_t shown = std::min(faults.size(), kMaxFaults);
  std::string out =
      "\n## Faults\n\n| fault | active | requested and achieved | evaluated / matched / injected | residue "
      "|\n"
      "| --- | --- | --- | --- | --- |\n";
  for (std::size_t k = 0; k < shown; ++k) {
    const v1::Counters& counters = faults[k].status.counters();
    out += row({markdown_escape(faults[k].name), active_text(faults[k]), achieved_text(faults[k].status),
                fmt::format("{} / {} / {}", counters.evaluated(), counters.matched(), counters.injected()),
                residue_text(faults[k].status)});
  }
  return out + more(faults.size(), shown, "faults");
}

std::string interval_text(const std::optional<Interval>& interval) {
  if (!interval) return "-";
  if (!interval->latest) return fmt::format("never (not within {})", duration_text(interval->earliest));
  return fmt::format("{} to {}", duration_text(interval->earliest), duration_text(*interval->latest));
}

std::string health_table(const RunRecord& run) {
  const std::vector<ProbeSummary>& probes = run.judgement.probes;
  if (probes.empty()) return "";
  const std::size_t shown = std::min(probes.size(), kMaxProbes);
  std::string out =
      "\n## Health while faults were active\n\n"
      "| probe | samples | degraded | unhealthy | time to detect | time to recover |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (std::size_t k = 0; k < shown; ++k) {
    const ProbeSummary& probe = probes[k];
    out += row({markdown_escape(probe.probe), std::to_string(probe.samples),
                fmt::format("{:.1f} %", probe.degraded_share * 100),
                fmt::format("{:.1f} %", probe.unhealthy_share * 100), interval_text(probe.time_to_detect),
                interval_text(probe.time_to_recover)});
  }
  out += more(probes.size(), shown, "probes");
  if (run.samples_missed > 0) {
    out += fmt::format("\nSamples not taken, because the probe's last answer was still awaited: {}.\n",
                       run.samples_missed);
  }
  return out;
}

// Summed by phase: a method with many faults goes through inject, observe and remove many times.
std::string phases_line(const std::vector<PhaseSpan>& phases) {
  constexpr std::array kOrder = {Phase::kBaseline, Phase::kInject, Phase::kObserve, Phase::kRemove,
                                 Phase::kRecover};
  std::string out;
  for (Phase phase : kOrder) {
    Nanos sum{};
    bool seen = false;
    for (const PhaseSpan& span : phases) {
      if (span.phase != phase) continue;
      sum += span.end_at - span.start_at;
      seen = true;
    }
    if (seen) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", to_string(phase), duration_text(sum));
  }
  return out.empty() ? "" : "\nPhases: " + out + ".\n";
}

}  // namespace

std::string markdown_summary(const Experiment& experiment, const RunRecord& run) {
  return heading(experiment, run) + findings_table(run.judgement.findings) + faults_table(run.faults) +
         health_table(run) + phases_line(run.phases);
}

}  // namespace faultline
