#include "controller/health/sampler.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace faultline {

Sampler::Sampler(std::vector<SampledProbe> probes, Nanos every, MonoTime run_start, PhaseSource phase,
                 Sink sink)
    : probes_(std::move(probes)),
      every_(every),
      run_start_(run_start),
      first_slot_(mono_now()),
      phase_(std::move(phase)),
      sink_(std::move(sink)) {
  threads_.reserve(probes_.size());
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    threads_.emplace_back([this, i](const std::stop_token& stop) { sample(i, stop); });
  }
}

Sampler::~Sampler() {
  stop();
}

void Sampler::stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  for (SampledProbe& probe : probes_) probe.adapter->cancel();
  threads_.clear();
}

void Sampler::sample(std::size_t index, const std::stop_token& stop) {
  SampledProbe& probe = probes_[index];
  std::mutex mutex;
  std::condition_variable_any wake;
  MonoTime slot = first_slot_;
  while (true) {
    {
      std::unique_lock lock(mutex);
      wake.wait_until(lock, stop, slot, [] { return false; });
    }
    if (stop.stop_requested()) return;

    Sample sample;
    sample.probe = index;
    sample.phase = phase_();
    sample.sent_at = mono_now() - run_start_;
    HealthReading reading = probe.adapter->probe(probe.timeout);
    if (stop.stop_requested()) return;
    sample.latency = reading.latency;
    sample.state = reading.state;
    sample.detail = std::move(reading.detail);
    sink_(std::move(sample));

    slot += every_;
    for (const MonoTime now = mono_now(); slot <= now; slot += every_) ++missed_;
  }
}

}  // namespace faultline
