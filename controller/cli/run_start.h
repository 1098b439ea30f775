// What a run needs before it may touch anything, gathered step by step.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "controller/cli/command_line.h"
#include "controller/cli/halt_lever.h"
#include "controller/cli/signal_watch.h"
#include "controller/clients/agent_client.h"
#include "controller/experiment/runner.h"
#include "controller/store/result_store.h"

namespace faultline {

struct RunStart {
  HaltLever lever;
  SignalWatch signals;
  std::unique_ptr<AgentClient> agent;
  Preflight checked;
  std::vector<SampledProbe> probes;
  std::string report_dir;
  std::unique_ptr<ResultStore> store;  // nullptr: not recorded
  BegunRun begun;
};

// The run does not begin; nothing was touched.
struct Refusal {
  int exit_code = 0;
  Status why;
};

// Call it before there are threads. The first thing that is missing refuses the run. When it has begun, the
// run is in the results database.
std::variant<RunStart, Refusal> start_run(const GlobalArgs& global, const RunArgs& args,
                                          const Experiment& experiment, const std::string& run_id);

}  // namespace faultline
