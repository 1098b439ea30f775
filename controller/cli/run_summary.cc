#include "controller/cli/run_summary.h"

#include <fmt/format.h>

#include <string_view>

#include "controller/cli/achieved_text.h"
#include "controller/report/format.h"

namespace faultline {

namespace {

constexpr std::string_view kResidueCheck = "residue/";

// What the judge found, not a second opinion.
std::string residue_text(const Judgement& judgement) {
  std::string text;
  for (const Finding& finding : judgement.findings) {
    if (finding.check.rfind(kResidueCheck, 0) != 0 || finding.result == FindingResult::kHeld) continue;
    text += fmt::format("residue: {}: {}\n", finding.check.substr(kResidueCheck.size()), finding.message);
  }
  return text.empty() ? "residue: none\n" : text;
}

}  // namespace

std::string run_summary(const RunRecord& run) {
  const Judgement& judgement = run.judgement;
  std::string text =
      fmt::format("verdict: {}\n  {}\nfindings:\n", to_string(judgement.outcome), judgement.reason);
  for (const Finding& finding : judgement.findings) {
    text += fmt::format("  {:<8} {}: {}\n", to_string(finding.result), finding.check, finding.message);
  }
  if (!run.faults.empty()) text += "requested against achieved:\n";
  for (const FaultOutcome& fault : run.faults) {
    for (const v1::Achieved& achieved : fault.status.achieved()) {
      text += fmt::format("  {}: {}\n", fault.name, achieved_text(achieved));
    }
    if (fault.status.achieved().empty()) text += fmt::format("  {}: nothing was measured\n", fault.name);
  }
  if (!run.faults.empty()) text += "counters:\n";
  for (const FaultOutcome& fault : run.faults) {
    text += fmt::format("  {}: {}\n", fault.name, counters_text(fault.status.counters()));
  }
  if (run.node_clock) text += fmt::format("node clock: {}\n", clock_text(*run.node_clock));
  return text + residue_text(judgement);
}

}  // namespace faultline
