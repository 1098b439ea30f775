#include <cstdio>

#include "controller/cli/commands.h"
#include "controller/cli/exit_code.h"
#include "controller/cli/new_run_id.h"
#include "controller/cli/plan_text.h"
#include "controller/cli/text.h"
#include "controller/clients/agent_client.h"
#include "controller/experiment/experiment_file.h"

namespace faultline {

int plan_command(const GlobalArgs& global, const PlanArgs& args) {
  const StatusOr<Experiment> experiment = load_experiment(args.file);
  if (!experiment.ok()) return fail(kExitUsage, experiment.status());
  const StatusOr<std::unique_ptr<AgentClient>> agent = make_agent_client(global.agent);
  if (!agent.ok()) return fail(kExitUsage, agent.status());
  const StatusOr<Preflight> checked = preflight(*experiment, new_run_id(), **agent);
  if (!checked.ok()) return fail(exit_code_before_run(checked.status()), checked.status());
  fmt::print("{}", printable(plan_text(*experiment, *checked, global.agent.address)));
  return kExitPassed;
}

}  // namespace faultline
