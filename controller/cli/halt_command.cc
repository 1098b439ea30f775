#include <fmt/ranges.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cstdio>

#include "common/clock.h"
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

bool holds(const v1::RevertResponse& reverted, const std::string& id) {
  return std::any_of(reverted.faults().begin(), reverted.faults().end(),
                     [&id](const v1::FaultStatus& fault) { return fault.id() == id; });
}

// Reverts what is armed or in force. A run that saw the lever may be quicker: what has ended since
// `engaged_at` is told too.
StatusOr<v1::RevertResponse> revert_all(AgentClient& agent, const std::string& reason, WallTime engaged_at) {
  v1::RevertRequest all;
  all.set_all(true);
  all.set_reason(reason);
  FL_ASSIGN_OR_RETURN(v1::RevertResponse reverted, agent.revert(all));
  const StatusOr<v1::ListResponse> known = agent.list();
  if (!known.ok()) return reverted;
  v1::RevertRequest others;
  others.set_reason(reason);
  Nanos since = engaged_at.time_since_epoch();
  if (const StatusOr<NodeClock> clock = agent.clock(); clock.ok()) {  // ends are told by the node's clock
    since += clock->offset - clock->uncertainty;
  }
  for (const v1::FaultStatus& fault : known->faults()) {
    const Nanos ended(google::protobuf::util::TimeUtil::TimestampToNanoseconds(fault.ended_at()));
    const bool lately = fault.state() != v1::FAULT_STATE_ENDED || ended >= since;
    if (lately && !holds(reverted, fault.id())) others.add_ids(fault.id());
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
      left = fmt::format("residue: {}", fmt::join(fault.residue(), "; "));
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
  const WallTime engaged_at = wall_now();
  const Status engaged = lever.engage(reason);
  if (engaged.ok()) {
    fmt::print("halt engaged: {}; no run starts until `faultline halt --release`\n",
               printable(lever.engaged().value_or(reason)));
  } else {
    fail(kExitInfrastructure, annotate(engaged, "the lever could not be engaged"));
  }
  std::fflush(stdout);

  const StatusOr<v1::RevertResponse> reverted = revert_all(**agent, "halt: " + reason, engaged_at);
  if (!reverted.ok())
    return fail(kExitInfrastructure,
                annotate(reverted.status(), "that every fault is reverted is not known"));
  const int exit_code = tell(*reverted);
  return exit_code == kExitPassed && !engaged.ok() ? static_cast<int>(kExitInfrastructure) : exit_code;
}

}  // namespace faultline
