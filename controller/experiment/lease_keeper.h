// Keeps the run's faults alive, in force or armed, while it exists, and the run informed about them: renews
// their leases, and watches them for counters and for ends that the run did not ask for. An agent that cannot
// be reached for too long, or has forgotten a fault, interrupts the run.
#pragma once

#include <thread>

#include "controller/clients/agent_client.h"
#include "controller/experiment/run_parts.h"
#include "controller/experiment/run_state.h"

namespace faultline {

class LeaseKeeper {
 public:
  // All arguments must outlive this.
  LeaseKeeper(RunState& state, AgentClient& agent, const RunTiming& timing);

 private:
  void renew(const std::stop_token& stop);
  StatusOr<v1::RenewResponse> renew_all();
  void watch(const std::stop_token& stop);

  RunState& state_;
  AgentClient& agent_;
  const RunTiming& timing_;
  std::jthread renewer_;
  std::jthread watcher_;
};

}  // namespace faultline
