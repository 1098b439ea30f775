#include "controller/cli/runs_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "controller/cli/achieved_text.h"
#include "controller/report/format.h"

namespace faultline {
namespace {

std::string outcome_text(const RunSummary& run) {
  return run.state == StoredState::kFinished ? run.outcome : to_string(run.state);
}

std::string started_text(WallTime time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string fault_text(const StoredFault& fault) {
  std::string text =
      fmt::format("  {}: {} on {} ({})\n", fault.name, fault.kind, fault.target, fault.mechanism);
  for (const v1::Achieved& achieved : fault.achieved)
    text += fmt::format("    {}\n", achieved_text(achieved));
  text += fmt::format("    {}\n", counters_text(fault.counters));
  if (!fault.error.empty()) text += fmt::format("    error: {}\n", fault.error);
  for (const std::string& residue : fault.residue) text += fmt::format("    residue: {}\n", residue);
  return text;
}

}  // namespace

std::string runs_text(const std::vector<RunSummary>& runs) {
  if (runs.empty()) return "no runs recorded\n";
  static constexpr char kRow[] = "{:<22} {:<21} {:<14} {:>4} {:>9}  {}\n";
  std::string text = fmt::format(kRow, "ID", "STARTED", "OUTCOME", "EXIT", "DURATION", "EXPERIMENT");
  for (const RunSummary& run : runs) {
    const bool finished = run.state == StoredState::kFinished;
    text += fmt::format(kRow, run.id, started_text(run.started), outcome_text(run),
                        run.exit_code ? std::to_string(*run.exit_code) : "-",
                        finished ? duration_text(run.duration) : "-", run.experiment);
  }
  return text;
}

std::string run_text(const StoredRun& run) {
  const RunSummary& summary = run.summary;
  std::string text =
      fmt::format("run:        {}\nexperiment: {}\nstarted:    {}\noutcome:    {}\n", summary.id,
                  summary.experiment, started_text(summary.started), outcome_text(summary));
  if (summary.state != StoredState::kFinished) return text;
  text += fmt::format("exit code:  {}\nduration:   {}\nreason:     {}\nfindings:\n",
                      summary.exit_code.value_or(-1), duration_text(summary.duration), summary.reason);
  for (const Finding& finding : run.findings) {
    text += fmt::format("  {:<8} {}: {}\n", to_string(finding.result), finding.check, finding.message);
  }
  text += "faults:\n";
  for (const StoredFault& fault : run.faults) text += fault_text(fault);
  return text;
}

}  // namespace faultline
