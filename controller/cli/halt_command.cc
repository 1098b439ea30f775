#include <algorithm>
#include <cstdio>

#include "controller/cli/commands.h"
#include "controller/cli/exit_code.h"
#include "controller/cli/halt_lever.h"
#include "controller/cli/text.h"
#include "controller/clients/agent_client.h"
#include "controller/store/state_dir.h"

namespace faultline {
namespace {

int release(HaltLever& lever) {
  const StatusOr<bool> was_engaged = lever.release();
  if (!was_engaged.ok()) return fail(kExitInfrastructure, was_engaged.status());
  fmt::print("{}\n", *was_engaged ? "halt released: runs may start again" : "halt was not engaged");
  return kExitPassed;
}

// Reverts what is active. A run that saw the lever may be quicker: its faults are told too.
StatusOr<v1::RevertResponse> revert_all(AgentClient& agent, const std::string& reason) {
  const StatusOr<v1::ListResponse> before = agent.list();
  v1::RevertRequest request;
  request.set_all(true);
  request.set_reason(reason);
  FL_ASSIGN_OR_RETURN(v1::RevertResponse reverted, agent.revert(request));
  if (!before.ok()) return reverted;
  v1::RevertRequest others;
  for (const v1::FaultStatus& fault : before->faults()) {
    const bool told =
        std::any_of(reverted.faults().begin(), reverted.faults().end(),
                    [&fault](const v1::FaultStatus& other) { return other.id() == fault.id(); });
    if (fault.state() == v1::FAULT_STATE_ACTIVE && !told) others.add_ids(fault.id());
  }
  if (others.ids().empty()) return reverted;
  FL_ASSIGN_OR_RETURN(const v1::RevertResponse ended, agent.revert(others));
  reverted.mutable_faults()->MergeFrom(ended.faults());
  return reverted;
}

// Tells what was ended; the exit code speaks of what it left.
int tell(const v1::RevertResponse& reverted) {
  int exit_code = kExitPassed;
  for (const v1::FaultStatus& fault : reverted.faults()) {
    std::string left = "residue: none";
    if (!fault.residue_checked()) {
      left = "residue: not checked";
      exit_code = kExitResidue;
    } else if (!fault.residue().empty()) {
      left = fmt::format("residue: {} (and {} more)", fault.residue(0), fault.residue_size() - 1);
      exit_code = kExitResidue;
    }
    fmt::print("ended: {} ({} on {}); {}\n", printable(fault.id()), printable(fault.kind()),
               printable(fault.target()), printable(left));
  }
  if (reverted.faults().empty()) fmt::print("no fault was active\n");
  return exit_code;
}

}  // namespace

int halt_command(const GlobalArgs& global, const HaltArgs& args) {
  const StatusOr<std::string> dir = state_dir();
  if (!dir.ok()) return fail(kExitInfrastructure, dir.status());
  HaltLever lever(*dir);
  if (args.release) return release(lever);

  const StatusOr<std::unique_ptr<AgentClient>> agent = make_agent_client(global.agent);
  if (!agent.ok()) return fail(kExitUsage, agent.status());
  // The lever first: what is reverted now must not be applied again a moment later.
  const std::string reason = args.reason.empty() ? "halted by hand" : args.reason;
  const Status engaged = lever.engage(reason);
  if (engaged.ok()) {
    fmt::print("halt engaged: {}; no run starts until `faultline halt --release`\n",
               printable(lever.engaged().value_or(reason)));
  } else {
    fail(kExitInfrastructure, annotate(engaged, "the lever could not be engaged"));
  }
  std::fflush(stdout);

  const StatusOr<v1::RevertResponse> reverted = revert_all(**agent, "halt: " + reason);
  if (!reverted.ok()) return fail(kExitInfrastructure, annotate(reverted.status(), "no fault was reverted"));
  const int exit_code = tell(*reverted);
  return exit_code == kExitPassed && !engaged.ok() ? static_cast<int>(kExitInfrastructure) : exit_code;
}

}  // namespace faultline
