// One fault of a run as an object: constructing it injects, destroying it reverts, whatever happened in
// between.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "common/clock.h"
#include "controller/clients/agent_client.h"
#include "controller/experiment/model.h"
#include "controller/experiment/run_parts.h"
#include "controller/experiment/run_state.h"

namespace faultline {

class ActiveFault {
 public:
  // Applies the fault and records what came of it; where it could not be applied the run is interrupted. With
  // `start`, an offset in the run, it is only armed, and the kernel starts it then. All arguments must
  // outlive this.
  ActiveFault(RunState& state, AgentClient& agent, const RunTiming& timing, const FaultStep& step,
              const std::string& id, const v1::Plan& plan, std::optional<Nanos> start = std::nullopt);
  ~ActiveFault();  // removes
  ActiveFault(const ActiveFault&) = delete;
  ActiveFault& operator=(const ActiveFault&) = delete;

  // Returns when the step's duration is over, the fault has ended, or the run is interrupted.
  void hold();

  // Reverts and records the kernel-confirmed end and what was left. Retries while the agent cannot be
  // reached; where the removal stays unconfirmed the run is interrupted and the outcome tells so. Idempotent.
  void remove();

 private:
  void applied(const v1::FaultStatus& status);
  void removed(const v1::FaultStatus& status, bool ended_before);
  void not_confirmed(const Status& why);

  RunState& state_;
  AgentClient& agent_;
  const RunTiming& timing_;
  const FaultStep& step_;
  std::string id_;
  std::string reason_;     // given with our revert; tells it from another's
  std::size_t index_ = 0;  // in the state
  std::optional<Nanos> start_;
  Nanos injected_at_{};    // when apply was called
  Nanos skew_{};           // to add to what the node's clock tells
  bool in_place_ = false;  // it may be in the kernel: a revert is due
};

}  // namespace faultline
