#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/experiment/baseline_watch.h"
#include "controller/experiment/recovery_watch.h"
#include "controller/experiment/stop_watch.h"
#include "tests/unit/controller/experiment/run_builder.h"

namespace faultline {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using enum HealthState;

void feed_both(auto& watch, Nanos from, Nanos to, Phase phase, HealthState a, HealthState b) {
  for (Nanos at = from; at <= to; at += 100ms) {
    watch.feed(sample(0, at, phase, a));
    watch.feed(sample(1, at, phase, b));
  }
}

TEST(BaselineWatch, IsSteadyAfterTheWholeStretchAndNotBefore) {
  BaselineWatch watch(small_experiment());
  EXPECT_EQ(watch.why_not(), "a has not answered yet; b has not answered yet");
  feed_both(watch, 0s, 900ms, Phase::kBaseline, kHealthy, kHealthy);
  EXPECT_FALSE(watch.steady());
  EXPECT_EQ(watch.why_not(0), "a was healthy for 900 ms of 1s only");
  watch.feed(sample(0, 1s, Phase::kBaseline, kHealthy));
  EXPECT_FALSE(watch.steady()) << "b has not been healthy for long enough";
  watch.feed(sample(1, 1s, Phase::kBaseline, kHealthy));
  EXPECT_TRUE(watch.steady());
  EXPECT_EQ(watch.why_not(), "");
}

TEST(BaselineWatch, HasSlackForSamplesFarApartAndLate) {
  Experiment experiment = small_experiment();
  experiment.steady_state.every = 30s;
  experiment.steady_state.probes[1].timeout = 4s;
  BaselineWatch watch(experiment);
  // The first and the third sample, for the second was a moment less than a baseline of 30 s later.
  const Nanos known = 2 * 30s + 4s;
  EXPECT_GE(experiment.steady_state.baseline + watch.slack(), known);
  experiment.steady_state.baseline = 30s;
  EXPECT_GE(experiment.steady_state.baseline + BaselineWatch(experiment).slack(), known);
}

TEST(BaselineWatch, StartsAnewAfterEveryStateButHealthy) {
  for (const HealthState bad : {kDegraded, kUnhealthy, kUnknown}) {
    BaselineWatch watch(small_experiment());
    feed_both(watch, 0s, 900ms, Phase::kBaseline, kHealthy, kHealthy);
    feed_both(watch, 1s, 1s, Phase::kBaseline, kHealthy, bad);
    EXPECT_THAT(watch.why_not(), HasSubstr(std::string("b is ") + to_string(bad) + " (bad)"));
    feed_both(watch, 1100ms, 2s, Phase::kBaseline, kHealthy, kHealthy);
    EXPECT_FALSE(watch.steady());
    feed_both(watch, 2100ms, 2100ms, Phase::kBaseline, kHealthy, kHealthy);
    EXPECT_TRUE(watch.steady());
  }
}

TEST(BaselineWatch, StaysSteadyAndLooksAtTheBaselineOnly) {
  BaselineWatch watch(small_experiment());
  feed_both(watch, 0s, 5s, Phase::kObserve, kHealthy, kHealthy);
  EXPECT_FALSE(watch.steady());
  feed_both(watch, 5s, 6s, Phase::kBaseline, kHealthy, kHealthy);
  feed_both(watch, 6100ms, 6100ms, Phase::kBaseline, kUnhealthy,
            kHealthy);  // was on its way when it was decided
  EXPECT_TRUE(watch.steady());
}

TEST(RecoveryWatch, IsRecoveredWhenEveryProbeIsStable) {
  RecoveryWatch watch(small_experiment(), 3s);
  feed_both(watch, 2s, 2900ms, Phase::kObserve, kHealthy, kHealthy);  // before the removal: says nothing
  EXPECT_FALSE(watch.recovered());
  EXPECT_EQ(watch.why_not(0), "a gave no sample after the removal");
  feed_both(watch, 3s, 3400ms, Phase::kRecover, kHealthy, kDegraded);
  feed_both(watch, 3500ms, 3900ms, Phase::kRecover, kHealthy, kHealthy);
  EXPECT_FALSE(watch.recovered());
  EXPECT_TRUE(watch.recovered(0));
  EXPECT_FALSE(watch.recovered(1));
  feed_both(watch, 4s, 4s, Phase::kRecover, kHealthy, kHealthy);
  EXPECT_TRUE(watch.recovered());
  EXPECT_EQ(watch.why_not(), "");

  const std::optional<Interval> a = watch.time_to_recover(0);
  ASSERT_TRUE(a.has_value());
  EXPECT_EQ(a->earliest, 0ms);
  EXPECT_EQ(a->latest, 5ms);
  const std::optional<Interval> b = watch.time_to_recover(1);
  ASSERT_TRUE(b.has_value());
  EXPECT_EQ(b->earliest, 400ms);
  EXPECT_EQ(b->latest, 505ms);
}

TEST(RecoveryWatch, StaysRecoveredOnceItWas) {
  RecoveryWatch watch(small_experiment(), 3s);
  feed_both(watch, 3s, 3500ms, Phase::kRecover, kHealthy, kHealthy);
  feed_both(watch, 3600ms, 3600ms, Phase::kRecover, kUnhealthy,
            kHealthy);  // was on its way when it was decided
  EXPECT_TRUE(watch.recovered());
  EXPECT_EQ(watch.time_to_recover(0)->latest, 5ms);
}

TEST(RecoveryWatch, AProbeThatFallsBackMustRecoverAgain) {
  RecoveryWatch watch(small_experiment(), 3s);
  feed_both(watch, 3s, 3600ms, Phase::kRecover, kHealthy, kUnhealthy);
  EXPECT_TRUE(watch.recovered(0));
  feed_both(watch, 3700ms, 3700ms, Phase::kRecover, kUnknown, kHealthy);
  EXPECT_FALSE(watch.recovered(0));
  feed_both(watch, 3800ms, 4200ms, Phase::kRecover, kHealthy, kHealthy);
  EXPECT_FALSE(watch.recovered());
  feed_both(watch, 4300ms, 4300ms, Phase::kRecover, kHealthy, kHealthy);
  EXPECT_TRUE(watch.recovered());
}

TEST(RecoveryWatch, TheStretchMustBeginInTimeAndMayEndLater) {
  RecoveryWatch in_time(small_experiment(), 3s);
  feed_both(in_time, 3s, 4900ms, Phase::kRecover, kUnhealthy, kUnhealthy);
  feed_both(in_time, 5s, 5500ms, Phase::kRecover, kHealthy, kHealthy);
  EXPECT_TRUE(in_time.recovered());

  RecoveryWatch late(small_experiment(), 3s);
  feed_both(late, 3s, 5s, Phase::kRecover, kUnhealthy, kUnhealthy);
  feed_both(late, 5100ms, 9s, Phase::kRecover, kHealthy, kHealthy);
  EXPECT_FALSE(late.recovered());
  EXPECT_EQ(late.why_not(0), "a was healthy again only 2.1 s after the removal");
  EXPECT_EQ(late.time_to_recover(0)->earliest, 2s);
  EXPECT_EQ(late.time_to_recover(0)->latest, 2105ms);
}

TEST(RecoveryWatch, GivesUpOnlyWhenNothingCanHelpAnyMore) {
  RecoveryWatch watch(small_experiment(), 3s);
  // The last stretch that counts begins at 5 s; its last sample may be sent late, after a missed slot.
  EXPECT_GE(watch.give_up_at(), 5s + 500ms + 100ms + 1s);
  EXPECT_LE(watch.give_up_at(), 8s);
  EXPECT_FALSE(watch.too_late(0, 10s)) << "no sample: nobody knows";
  feed_both(watch, 3s, 4900ms, Phase::kRecover, kUnhealthy, kUnhealthy);
  EXPECT_FALSE(watch.too_late(0, 4900ms));
  EXPECT_TRUE(watch.too_late(0, 5s));
  feed_both(watch, 5s, 5100ms, Phase::kRecover, kHealthy, kUnhealthy);
  EXPECT_FALSE(watch.too_late(0, 5100ms)) << "healthy since the last moment, may yet get stable";
  EXPECT_TRUE(watch.too_late(1, 5100ms));
  EXPECT_EQ(watch.time_to_recover(0)->latest, std::nullopt);
}

TEST(StopWatch, FiresWhenTheStateHasLasted) {
  StopWatch watch(small_experiment());
  EXPECT_EQ(watch.feed(sample(0, 2s, Phase::kObserve, kUnhealthy)), std::nullopt);
  EXPECT_EQ(watch.feed(sample(0, 2900ms, Phase::kObserve, kUnhealthy)), std::nullopt);
  const std::optional<std::string> reason = watch.feed(sample(0, 3s, Phase::kObserve, kUnhealthy));
  EXPECT_EQ(reason, "probe a was UNHEALTHY for 1s (last answer: bad)");
  EXPECT_EQ(watch.fired(0), reason);
  EXPECT_EQ(watch.feed(sample(0, 4s, Phase::kObserve, kUnhealthy)), std::nullopt) << "once is enough";
}

TEST(StopWatch, ABetterSampleStartsItAnew) {
  for (const HealthState better : {kHealthy, kDegraded}) {
    StopWatch watch(small_experiment());
    watch.feed(sample(0, 2s, Phase::kObserve, kUnhealthy));
    watch.feed(sample(0, 2500ms, Phase::kObserve, better));
    watch.feed(sample(0, 2600ms, Phase::kObserve, kUnhealthy));
    EXPECT_EQ(watch.feed(sample(0, 3500ms, Phase::kObserve, kUnhealthy)), std::nullopt);
    EXPECT_NE(watch.feed(sample(0, 3600ms, Phase::kObserve, kUnhealthy)), std::nullopt);
  }
}

TEST(StopWatch, UnknownCountsAsUnhealthyAndWorseStatesCount) {
  Experiment experiment = small_experiment();
  StopWatch unhealthy(experiment);
  unhealthy.feed(sample(0, 2s, Phase::kObserve, kUnknown));
  EXPECT_NE(unhealthy.feed(sample(0, 3s, Phase::kObserve, kUnknown)), std::nullopt);

  experiment.stop_conditions[0].state = kDegraded;
  StopWatch degraded(experiment);
  degraded.feed(sample(0, 2s, Phase::kInject, kDegraded));
  degraded.feed(sample(0, 2500ms, Phase::kObserve, kUnhealthy));
  EXPECT_THAT(degraded.feed(sample(0, 3s, Phase::kRemove, kUnknown)),
              ::testing::Optional(HasSubstr("DEGRADED or worse for 1s")));
}

TEST(StopWatch, AnAnswerThatTookLongCountsFromItsSending) {
  StopWatch watch(small_experiment());
  EXPECT_NE(watch.feed(sample(0, 2s, Phase::kObserve, kUnhealthy, 1s)), std::nullopt);
}

TEST(StopWatch, LooksAtItsProbeAndAtTheTimeOfFaultsOnly) {
  StopWatch watch(small_experiment());
  for (const Phase phase : {Phase::kBaseline, Phase::kRecover}) {
    for (Nanos at{}; at < 5s; at += 100ms)
      EXPECT_EQ(watch.feed(sample(0, at, phase, kUnhealthy)), std::nullopt);
  }
  for (Nanos at{}; at < 5s; at += 100ms) {
    EXPECT_EQ(watch.feed(sample(1, at, Phase::kObserve, kUnhealthy)), std::nullopt);
  }
  EXPECT_EQ(watch.fired(0), std::nullopt);
}

}  // namespace
}  // namespace faultline
