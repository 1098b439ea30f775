#include "controller/cli/run_summary.h"

#include <fmt/format.h>

#include "controller/cli/achieved_text.h"

namespace faultline {

std::string residue_summary(const RunRecord& run) {
  std::string text;
  for (const FaultOutcome& fault : run.faults) {
    for (const std::string& residue : fault.status.residue()) {
      text += fmt::format("residue: {}: {}\n", fault.name, residue);
    }
    const bool refused =
        !fault.effective_at && fault.status.state() == v1::FAULT_STATE_UNSPECIFIED && !fault.removed_at;
    if (!fault.status.residue_checked() && !refused) {
      text += fmt::format("residue: not proved for {}{}{}\n", fault.name, fault.error.empty() ? "" : ": ",
                          fault.error);
    }
  }
  return text.empty() ? "residue: none\n" : text;
}

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
  return text + residue_summary(run);
}

}  // namespace faultline
