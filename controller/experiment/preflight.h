// Everything that can be known before a run touches anything: is the agent there, can this node do these
// faults, do the targets exist and may they be hit. Reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "controller/clients/agent_client.h"
#include "controller/experiment/model.h"

namespace faultline {

struct Preflight {
  v1::CapabilitiesResponse node;
  std::optional<NodeClock> clock;  // unset: this agent cannot tell its time
  std::vector<v1::Plan> plans;     // of fault_steps(method), in that order
};

// Asks the agent for its capabilities, its time and a dry run of every fault. The first refusal is returned
// with the agent's code, its message prefixed by the place in the experiment file:
//   InvalidArgument, NotFound, PermissionDenied   the experiment is wrong: unknown or protected target, ...
//   Unimplemented, FailedPrecondition             this node cannot, or not in its present state;
//                                                 or faults shall start together and its time is not known
//   Unavailable, DeadlineExceeded, others         the agent is not there or not well (no place is told)
StatusOr<Preflight> preflight(const Experiment& experiment, const std::string& run_id, AgentClient& agent);

// The apply of a step's fault under this id.
v1::ApplyRequest make_apply_request(const FaultStep& step, const std::string& fault_id, Nanos lease);

}  // namespace faultline
