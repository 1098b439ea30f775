// Samples every probe on a fixed schedule, each in a thread of its own, so that a slow one never delays
// another.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "controller/experiment/record.h"
#include "controller/health/health_adapter.h"

namespace faultline {

struct SampledProbe {
  std::unique_ptr<HealthAdapter> adapter;
  Nanos timeout{};
};

class Sampler {
 public:
  // Gets each sample as it comes. Called from the probes' threads, for different probes at the same time.
  using Sink = std::function<void(Sample)>;
  // The run's phase now; called from the probes' threads just before a probe is sent.
  using PhaseSource = std::function<Phase()>;

  // From now on probe i is sent every `every`, on a grid that does not drift; Sample::probe is i,
  // Sample::sent_at counts from `run_start`. A slot that comes while the probe still waits for its last
  // answer is not sent but counted as missed: catching up would bunch the samples.
  Sampler(std::vector<SampledProbe> probes, Nanos every, MonoTime run_start, PhaseSource phase, Sink sink);
  ~Sampler();  // stops
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // Cancels the probes under way, whose samples are dropped, and waits for the threads. No sink call comes
  // after it. Idempotent; not to be called from the sink.
  void stop();

  std::size_t missed() const { return missed_; }  // thread-safe

 private:
  void sample(std::size_t index, const std::stop_token& stop);

  std::vector<SampledProbe> probes_;
  Nanos every_;
  MonoTime run_start_;
  MonoTime first_slot_;
  PhaseSource phase_;
  Sink sink_;
  std::atomic<std::size_t> missed_ = 0;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace faultline
