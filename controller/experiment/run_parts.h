// What a run is given from outside, so that tests can give it something else.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "controller/clients/agent_client.h"
#include "controller/experiment/run_observer.h"
#include "controller/health/sampler.h"

namespace faultline {

struct RunTiming {
  Nanos lease = std::chrono::seconds(5);  // without renewal the agent ends a fault after this
  Nanos renew_every = std::chrono::seconds(1);
  Nanos lost_after =
      std::chrono::seconds(3);  // renewals failing for so long: the agent is lost; under the lease
  Nanos watch_every = std::chrono::milliseconds(250);  // fresh counters, for the eye
  Nanos revert_retry = std::chrono::seconds(5);  // how long a revert that does not get through is tried again
  Nanos retry_pause = std::chrono::milliseconds(200);
  // Faults that start together are armed in this time: so much, and so much more for each of them.
  Nanos arm_base = std::chrono::seconds(1);
  Nanos arm_each = std::chrono::milliseconds(500);
  Nanos poll_every = std::chrono::milliseconds(50);  // of the signal; the halt lever every fourth time
  // Beyond the baseline, to get steady; more where the samples need more: BaselineWatch::slack().
  Nanos baseline_grace = std::chrono::seconds(10);
};

struct RunParts {
  AgentClient& agent;
  RunObserver& observer;
  std::vector<SampledProbe> probes;                    // one per probe of the experiment, in its order
  std::function<std::optional<std::string>()> halted;  // why, while the halt lever is engaged
  std::function<std::optional<std::string>()> signal;  // "SIGINT" once a signal has come
  RunTiming timing;
};

}  // namespace faultline
