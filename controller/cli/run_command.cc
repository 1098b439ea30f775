#include <cstdio>
#include <memory>
#include <vector>

#include "controller/cli/commands.h"
#include "controller/cli/exit_code.h"
#include "controller/cli/halt_lever.h"
#include "controller/cli/new_run_id.h"
#include "controller/cli/open_store.h"
#include "controller/cli/progress.h"
#include "controller/cli/run_summary.h"
#include "controller/cli/signal_watch.h"
#include "controller/cli/text.h"
#include "controller/clients/agent_client.h"
#include "controller/experiment/experiment_file.h"
#include "controller/experiment/runner.h"
#include "controller/report/report.h"
#include "controller/store/atomic_file.h"
#include "controller/store/state_dir.h"

namespace faultline {
namespace {

void write_stdout(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

StatusOr<std::vector<SampledProbe>> make_probes(const Experiment& experiment) {
  std::vector<SampledProbe> probes;
  for (const Probe& probe : experiment.steady_state.probes) {
    FL_ASSIGN_OR_RETURN(std::unique_ptr<HealthAdapter> adapter, make_adapter(probe));
    probes.push_back({std::move(adapter), probe.timeout});
  }
  return probes;
}

// The folder for the reports, made before anything is touched: a run whose results cannot be kept is no use.
StatusOr<std::string> make_report_dir(const RunArgs& args, const std::string& run_id) {
  std::string dir = args.out;
  if (dir.empty()) {
    FL_ASSIGN_OR_RETURN(dir, default_run_dir(run_id));
  }
  FL_RETURN_IF_ERROR(make_dirs(dir));
  return dir;
}

// Writes the reports and finishes the stored run; both are tried whatever becomes of the other.
Status keep_results(const Experiment& experiment, const RunRecord& run, const std::string& dir,
                    ResultStore* store) {
  const StatusOr<std::vector<std::string>> paths = write_reports(experiment, run, dir);
  if (paths.ok()) {
    write_stdout("reports:\n");
    for (const std::string& path : *paths) write_stdout(fmt::format("  {}\n", printable(path)));
  }
  if (store != nullptr) FL_RETURN_IF_ERROR(store->finish_run(run, journal_json(experiment, run)));
  return paths.status();
}

RunRecord run_with_progress(const Experiment& experiment, const Preflight& checked, BegunRun begun,
                            AgentClient& agent, std::vector<SampledProbe> probes, const HaltLever& lever,
                            SignalWatch& signals) {
  Progress progress(experiment, begun.start, inspect_stdout(), write_stdout);
  RunParts parts{.agent = agent,
                 .observer = progress,
                 .probes = std::move(probes),
                 .halted = [&lever] { return lever.engaged(); },
                 .signal = [&signals] { return signals.received(); },
                 .timing = {}};
  return run_experiment(experiment, checked, std::move(begun), std::move(parts));
}

}  // namespace

int run_command(const GlobalArgs& global, const RunArgs& args) {
  const StatusOr<Experiment> experiment = load_experiment(args.file);
  if (!experiment.ok()) return fail(kExitUsage, experiment.status());
  const StatusOr<std::string> dir = state_dir();
  if (!dir.ok()) return fail(kExitInfrastructure, dir.status());
  const HaltLever lever(*dir);
  if (const std::optional<std::string> why = lever.engaged()) {
    return fail(kExitStopped,
                make_error(StatusCode::kAborted,
                           "halt is engaged ({}); nothing was touched. `faultline halt --release` lets "
                           "runs start again",
                           *why));
  }
  StatusOr<SignalWatch> signals = SignalWatch::make();  // before there are threads
  if (!signals.ok()) return fail(kExitInfrastructure, signals.status());
  const StatusOr<std::unique_ptr<AgentClient>> agent = make_agent_client(global.agent);
  if (!agent.ok()) return fail(kExitUsage, agent.status());

  const std::string run_id = new_run_id();
  const StatusOr<Preflight> checked = preflight(*experiment, run_id, **agent);
  if (!checked.ok()) return fail(exit_code_before_run(checked.status()), checked.status());
  StatusOr<std::vector<SampledProbe>> probes = make_probes(*experiment);
  if (!probes.ok()) return fail(kExitInfrastructure, probes.status());
  const StatusOr<std::string> report_dir = make_report_dir(args, run_id);
  if (!report_dir.ok()) return fail(kExitUsage, report_dir.status());

  std::unique_ptr<ResultStore> store;
  BegunRun begun = begin_run(*experiment, run_id, global.agent.address, *checked);
  if (!args.no_store) {
    StatusOr<std::unique_ptr<ResultStore>> opened = open_store(global);
    if (!opened.ok()) return fail(kExitInfrastructure, opened.status());
    store = std::move(*opened);
    if (const Status status = store->begin_run(begun.record); !status.ok())
      return fail(kExitInfrastructure, status);
  }

  write_stdout(fmt::format("run {}: {}\n", run_id, printable(experiment->name)));
  const RunRecord run = run_with_progress(*experiment, *checked, std::move(begun), **agent,
                                          std::move(*probes), lever, *signals);
  write_stdout(printable(run_summary(run)));
  const Status kept = keep_results(*experiment, run, *report_dir, store.get());
  if (!kept.ok()) {
    fail(kExitInfrastructure, annotate(kept, "the results could not be kept"));
    if (run.judgement.exit_code < kExitResidue) return kExitInfrastructure;
  }
  return run.judgement.exit_code;
}

}  // namespace faultline
