#include "controller/health/sampler.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

namespace faultline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers after a time that may change, or at once when cancelled.
class FakeAdapter final : public HealthAdapter {
 public:
  explicit FakeAdapter(Nanos takes) : takes_(takes) {}
  HealthReading probe(Nanos) override {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, takes_, [this] { return cancelled_; });
    return {HealthState::kHealthy, takes_, "fake"};
  }
  void cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    wake_.notify_all();
  }

 private:
  Nanos takes_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool cancelled_ = false;
};

class Collected {
 public:
  void add(Sample sample) {
    const std::lock_guard lock(mutex_);
    samples_.push_back(std::move(sample));
    more_.notify_all();
  }
  std::vector<Sample> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    more_.wait_for(lock, seconds(20), [&] { return samples_.size() >= count; });
    return samples_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<Sample> samples_;
};

std::vector<SampledProbe> probes_taking(const std::vector<Nanos>& times) {
  std::vector<SampledProbe> probes;
  for (const Nanos time : times) probes.push_back({std::make_unique<FakeAdapter>(time), seconds(1)});
  return probes;
}

TEST(Sampler, SamplesOnGridFromItsStart) {
  Collected collected;
  const MonoTime run_start = mono_now() - seconds(100);
  Sampler sampler(
      probes_taking({Nanos::zero()}), milliseconds(5), run_start, [] { return Phase::kBaseline; },
      [&](Sample sample) { collected.add(std::move(sample)); });
  const std::vector<Sample> samples = collected.wait_for(5);
  ASSERT_GE(samples.size(), 5U);
  EXPECT_GE(samples[0].sent_at, seconds(100));
  // Each slot lies at or after its place on the grid, never before: a late sample does not shift the next
  // ones.
  for (std::size_t i = 1; i < samples.size(); ++i) {
    EXPECT_GE(samples[i].sent_at - samples[0].sent_at, i * milliseconds(5) - milliseconds(4)) << i;
  }
}

TEST(Sampler, CountsSlotsMissedWhileWaitingForAnAnswer) {
  Collected collected;
  Sampler sampler(
      probes_taking({milliseconds(55)}), milliseconds(10), mono_now(), [] { return Phase::kObserve; },
      [&](Sample sample) { collected.add(std::move(sample)); });
  ASSERT_GE(collected.wait_for(3).size(), 3U);
  sampler.stop();
  EXPECT_GE(sampler.missed(), 2 * 5U);
}

TEST(Sampler, SlowProbeDoesNotDelayAnother) {
  Collected collected;
  Sampler sampler(
      probes_taking({seconds(60), Nanos::zero()}), milliseconds(2), mono_now(),
      [] { return Phase::kObserve; }, [&](Sample sample) { collected.add(std::move(sample)); });
  for (const Sample& sample : collected.wait_for(10)) EXPECT_EQ(sample.probe, 1U);
}

TEST(Sampler, SampleCarriesPhaseOfItsSending) {
  Collected collected;
  std::atomic<Phase> phase = Phase::kBaseline;
  Sampler sampler(
      probes_taking({milliseconds(40)}), milliseconds(1), mono_now(), [&] { return phase.load(); },
      [&](Sample sample) { collected.add(std::move(sample)); });
  std::this_thread::sleep_for(milliseconds(10));
  phase = Phase::kRecover;  // the first probe is under way, or (on a slow machine) not yet sent
  const std::vector<Sample> samples = collected.wait_for(2);
  ASSERT_GE(samples.size(), 2U);
  EXPECT_EQ(samples[0].phase, samples[0].sent_at < milliseconds(5) ? Phase::kBaseline : samples[0].phase);
  EXPECT_EQ(samples[1].phase, Phase::kRecover);
}

TEST(Sampler, StopsAtOnceAndDropsWhatIsUnderWay) {
  Collected collected;
  Sampler sampler(
      probes_taking({seconds(60), seconds(60)}), milliseconds(1), mono_now(), [] { return Phase::kObserve; },
      [&](Sample sample) { collected.add(std::move(sample)); });
  std::this_thread::sleep_for(milliseconds(10));
  const MonoTime before = mono_now();
  sampler.stop();
  sampler.stop();
  EXPECT_LT(mono_now() - before, seconds(30));
  EXPECT_TRUE(collected.wait_for(0).empty());
}

}  // namespace
}  // namespace faultline
