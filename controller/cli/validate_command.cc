#include <cstdio>

#include "controller/cli/commands.h"
#include "controller/cli/exit_code.h"
#include "controller/experiment/experiment_file.h"

namespace faultline {

int validate_command(const GlobalArgs&, const ValidateArgs& args) {
  const StatusOr<Experiment> experiment = load_experiment(args.file);
  if (!experiment.ok()) return fail(kExitUsage, experiment.status());
  fmt::print("{}: valid: {}, {} probe(s), {} fault(s)\n", args.file, experiment->name,
             experiment->steady_state.probes.size(), fault_steps(experiment->method).size());
  return kExitPassed;
}

}  // namespace faultline
