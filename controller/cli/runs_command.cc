#include <cstdio>

#include "controller/cli/commands.h"
#include "controller/cli/exit_code.h"
#include "controller/cli/open_store.h"
#include "controller/cli/runs_text.h"
#include "controller/cli/text.h"

namespace faultline {
namespace {

constexpr std::size_t kMaxListed = 50;

}  // namespace

int runs_command(const GlobalArgs& global, const RunsArgs& args) {
  const StatusOr<std::unique_ptr<ResultStore>> store = open_store(global);
  if (!store.ok()) return fail(kExitInfrastructure, store.status());
  if (args.id.empty()) {
    const StatusOr<std::vector<RunSummary>> runs = (*store)->list_runs(kMaxListed);
    if (!runs.ok()) return fail(kExitInfrastructure, runs.status());
    fmt::print("{}", printable(runs_text(*runs)));
    return kExitPassed;
  }
  const StatusOr<StoredRun> run = (*store)->get_run(args.id);
  if (!run.ok()) return fail(exit_code_before_run(run.status()), run.status());
  fmt::print("{}", printable(run_text(*run)));
  return kExitPassed;
}

}  // namespace faultline
