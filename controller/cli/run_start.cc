#include "controller/cli/run_start.h"

#include <utility>

#include "controller/cli/exit_code.h"
#include "controller/cli/open_store.h"
#include "controller/report/report.h"
#include "controller/store/atomic_file.h"
#include "controller/store/state_dir.h"

namespace faultline {
namespace {

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

}  // namespace

std::variant<RunStart, Refusal> start_run(const GlobalArgs& global, const RunArgs& args,
                                          const Experiment& experiment, const std::string& run_id) {
  const StatusOr<std::string> dir = state_dir();
  if (!dir.ok()) return Refusal{kExitInfrastructure, dir.status()};
  HaltLever lever(*dir);
  if (const std::optional<std::string> why = lever.engaged()) {
    return Refusal{kExitStopped,
                   make_error(StatusCode::kAborted,
                              "halt is engaged ({}); nothing was touched. `faultline halt --release` lets "
                              "runs start again",
                              *why)};
  }
  StatusOr<SignalWatch> signals = SignalWatch::make();  // before there are threads
  if (!signals.ok()) return Refusal{kExitInfrastructure, signals.status()};
  StatusOr<std::unique_ptr<AgentClient>> agent = make_agent_client(global.agent);
  if (!agent.ok()) return Refusal{kExitUsage, agent.status()};

  StatusOr<Preflight> checked = preflight(experiment, run_id, **agent);
  if (!checked.ok()) return Refusal{exit_code_before_run(checked.status()), checked.status()};
  StatusOr<std::vector<SampledProbe>> probes = make_probes(experiment);
  if (!probes.ok()) return Refusal{kExitInfrastructure, probes.status()};
  StatusOr<std::string> report_dir = make_report_dir(args, run_id);
  if (!report_dir.ok()) return Refusal{kExitUsage, report_dir.status()};

  std::unique_ptr<ResultStore> store;
  BegunRun begun = begin_run(experiment, run_id, global.agent.address, *checked);
  if (!args.no_store) {
    StatusOr<std::unique_ptr<ResultStore>> opened = open_store(global);
    if (!opened.ok()) return Refusal{kExitInfrastructure, opened.status()};
    store = std::move(*opened);
    if (const Status status = store->begin_run(begun.record); !status.ok())
      return Refusal{kExitInfrastructure, status};
  }
  return RunStart{std::move(lever),   std::move(*signals),    std::move(*agent), std::move(*checked),
                  std::move(*probes), std::move(*report_dir), std::move(store),  std::move(begun)};
}

}  // namespace faultline
