// Runs experiments in short real time against the fake agent and fake probes. Times are small where nothing
// depends on them and generous where a test would otherwise depend on the machine's speed.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "controller/experiment/runner.h"
#include "tests/unit/controller/runner/fake_agent.h"

namespace faultline::testing {

inline FaultStep fault_step(const std::string& name, Nanos duration) {
  FaultStep step;
  step.name = name;
  step.target = "cgroup:/" + name;
  step.kind = "delay";
  step.spec.mutable_delay()->mutable_latency()->set_nanos(1'000'000);
  step.duration = duration;
  step.pos = {12, 3};
  step.target_pos = {13, 5};
  return step;
}

inline Block serial(std::vector<Step> steps) {
  return {.parallel = false, .steps = std::move(steps)};
}
inline Block parallel(std::vector<Step> steps) {
  return {.parallel = true, .steps = std::move(steps)};
}
inline Block together(std::vector<Step> steps) {
  return {.parallel = true, .steps = std::move(steps), .together = true};
}

// Counts what it is told, and lets a test act at the first moment of a phase.
class Spectator final : public RunObserver {
 public:
  void on_phase(Phase phase, Nanos) override {
    if (on_enter) on_enter(phase);
  }
  void on_sample(const Sample&) override { ++samples; }
  void on_fault(const FaultOutcome&) override { ++fault_news; }
  void on_interruption(Interruption, const std::string&) override { ++interruptions; }

  std::function<void(Phase)> on_enter;
  std::size_t samples = 0;
  std::size_t fault_news = 0;
  std::size_t interruptions = 0;
};

// What the only probe says, asked anew for every sample.
using Health = std::function<HealthState()>;

class FakeProbe final : public HealthAdapter {
 public:
  explicit FakeProbe(Health health) : health_(std::move(health)) {}
  HealthReading probe(Nanos) override { return {health_(), std::chrono::microseconds(10), "fake"}; }
  void cancel() override {}

 private:
  Health health_;
};

struct RunLab {
  RunLab() {
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    experiment.name = "lab";
    experiment.file = "lab.yaml";
    experiment.steady_state.every = milliseconds(2);
    experiment.steady_state.baseline = milliseconds(20);
    Probe probe;
    probe.name = "shop";
    experiment.steady_state.probes = {probe};
    experiment.method = serial({{fault_step("slow", milliseconds(60))}});
    experiment.recovery = {seconds(20), milliseconds(20)};
    timing.lease = milliseconds(800);
    timing.renew_every = milliseconds(50);
    timing.lost_after = milliseconds(300);
    timing.watch_every = milliseconds(10);
    timing.revert_retry = milliseconds(300);
    timing.retry_pause = milliseconds(10);
    timing.poll_every = milliseconds(2);
    timing.baseline_grace = seconds(20);
  }

  RunRecord run() {
    const StatusOr<Preflight> checked = preflight(experiment, "20260131T101502Z-3f9a", agent);
    if (!checked.ok()) throw std::runtime_error(message_of(checked.status()));
    std::vector<SampledProbe> probes;
    probes.push_back({std::make_unique<FakeProbe>(health), std::chrono::seconds(1)});
    RunParts parts{.agent = agent,
                   .observer = spectator,
                   .probes = std::move(probes),
                   .halted = halted,
                   .signal = signal,
                   .timing = timing};
    return run_experiment(experiment, *checked,
                          begin_run(experiment, "20260131T101502Z-3f9a", "fake:", *checked),
                          std::move(parts));
  }

  bool fault_active() { return agent.active() > 0; }

  Experiment experiment;
  RunTiming timing;
  FakeAgent agent;
  Spectator spectator;
  Health health = [] { return HealthState::kHealthy; };
  std::function<std::optional<std::string>()> halted = [] { return std::nullopt; };
  std::function<std::optional<std::string>()> signal = [] { return std::nullopt; };
};

}  // namespace faultline::testing
