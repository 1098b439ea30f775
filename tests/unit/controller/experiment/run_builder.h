// Builds the record of a run sample by sample, for the watches and the judge to look at.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "controller/experiment/record.h"

namespace faultline {

// Probes a and b, sampled every 100 ms; a baseline of 1 s; faults f and (with two_faults) g; healthy again
// within 2 s and stable for 500 ms; a stops the run when unhealthy for 1 s.
inline Experiment small_experiment(bool two_faults = false) {
  using namespace std::chrono_literals;
  Experiment experiment;
  experiment.name = "small";
  experiment.steady_state.every = 100ms;
  experiment.steady_state.baseline = 1s;
  for (const char* name : {"a", "b"}) {
    Probe probe;
    probe.name = name;
    probe.check = TcpCheck{"localhost", 1};
    experiment.steady_state.probes.push_back(probe);
  }
  experiment.recovery = {2s, 500ms};
  for (const char* name : {"f", "g"}) {
    if (std::string(name) == "g" && !two_faults) continue;
    FaultStep step;
    step.name = name;
    step.kind = "delay";
    step.duration = 2s;
    experiment.method.steps.push_back({step});
  }
  experiment.stop_conditions.push_back({"a", HealthState::kUnhealthy, 1s, {}});
  return experiment;
}

inline Sample sample(std::size_t probe, Nanos sent_at, Phase phase, HealthState state,
                     Nanos latency = std::chrono::milliseconds(5)) {
  return {probe, sent_at, latency, phase, state, state == HealthState::kHealthy ? "200" : "bad"};
}

// A fault in force from 1.2 s to 3.2 s that did what it should and left nothing.
inline FaultOutcome good_outcome(const std::string& name) {
  using namespace std::chrono_literals;
  FaultOutcome fault;
  fault.name = name;
  fault.id = "run-" + name;
  fault.effective_at = 1200ms;
  fault.removed_at = 3200ms;
  fault.status.set_state(v1::FAULT_STATE_ENDED);
  fault.status.set_end_reason(v1::END_REASON_REVERTED);
  fault.status.mutable_counters()->set_evaluated(100);
  fault.status.mutable_counters()->set_matched(50);
  fault.status.mutable_counters()->set_injected(50);
  fault.status.set_residue_checked(true);
  return fault;
}

// Both probes healthy all the way: baseline until 1.1 s, active until 3.2 s, recovery until 4 s.
inline RunRecord good_run() {
  using namespace std::chrono_literals;
  RunRecord record;
  record.faults.push_back(good_outcome("f"));
  for (Nanos at{}; at <= 4s; at += 100ms) {
    const Phase phase = at <= 1100ms ? Phase::kBaseline : at < 3200ms ? Phase::kObserve : Phase::kRecover;
    for (const std::size_t probe : {0, 1})
      record.samples.push_back(sample(probe, at, phase, HealthState::kHealthy));
  }
  record.duration = 4s;
  return record;
}

// The samples of `probe` sent from `from` to before `to` become `state`.
inline void spoil(RunRecord& record, std::size_t probe, Nanos from, Nanos to, HealthState state) {
  std::size_t changed = 0;
  for (Sample& s : record.samples) {
    if (s.probe != probe || s.sent_at < from || s.sent_at >= to) continue;
    s.state = state;
    s.detail = "bad";
    ++changed;
  }
  ASSERT_GT(changed, 0U);
}

}  // namespace faultline
