#include "agent/faults/achieved.h"

#include <gtest/gtest.h>

namespace faultline {
namespace {

using namespace std::chrono_literals;

SojournSamples samples(std::vector<Nanos> newest) {
  SojournSamples all;
  all.count = newest.size();
  all.newest = std::move(newest);
  return all;
}

bool judged(const v1::Achieved& a) {
  return a.tolerated_low() != 0 || a.tolerated_high() != 0;
}
bool as_asked(const v1::Achieved& a) {
  return a.tolerated_low() <= a.median() && a.median() <= a.tolerated_high();
}

TEST(AchievedTime, IsJudgedByItsMedianWithinATenth) {
  EXPECT_TRUE(as_asked(achieved_time("latency", {.latency = 200ms}, samples(std::vector<Nanos>(50, 219ms)))));
  const auto late = achieved_time("latency", {.latency = 200ms}, samples(std::vector<Nanos>(50, 221ms)));
  EXPECT_TRUE(judged(late));
  EXPECT_FALSE(as_asked(late));
  EXPECT_FALSE(
      as_asked(achieved_time("latency", {.latency = 200ms}, samples(std::vector<Nanos>(50, 179ms)))));
}

TEST(AchievedTime, ASmallOneMayBeAMillisecondOff) {
  EXPECT_TRUE(
      as_asked(achieved_time("latency", {.latency = 500us}, samples(std::vector<Nanos>(50, 1400us)))));
  EXPECT_FALSE(
      as_asked(achieved_time("latency", {.latency = 500us}, samples(std::vector<Nanos>(50, 1600us)))));
}

TEST(AchievedTime, IsNotJudgedByFewSamplesOrNone) {
  EXPECT_FALSE(judged(achieved_time("latency", {.latency = 200ms}, samples(std::vector<Nanos>(29, 900ms)))));
  EXPECT_FALSE(judged(achieved_time("latency", {.latency = 200ms}, {})));
  EXPECT_EQ(achieved_time("latency", {.latency = 200ms}, {}).samples(), 0u);
}

TEST(AchievedTime, WithJitterTheMedianMayBeOffAsFarAsChanceMovesIt) {
  const RequestedTime uniform{.latency = 200ms, .jitter = 100ms};
  // Of 100 packets, half a tenth of 2.5758 standard errors: quantiles 37 % and 63 %, and the tenth.
  const auto few = achieved_time("latency", uniform, samples(std::vector<Nanos>(100, 200ms)));
  EXPECT_NEAR(few.tolerated_low(), 200 - 25.8 - 20, 0.2);
  EXPECT_NEAR(few.tolerated_high(), 200 + 25.8 + 20, 0.2);
  // Correlated by 60 %, 400 packets tell what 100 would, or one less.
  const RequestedTime correlated{.latency = 200ms, .jitter = 100ms, .correlation = 0.6};
  const auto many = achieved_time("latency", correlated, samples(std::vector<Nanos>(400, 200ms)));
  EXPECT_NEAR(many.tolerated_low(), few.tolerated_low(), 0.2);
  EXPECT_NEAR(many.tolerated_high(), few.tolerated_high(), 0.2);
  // So few tell nothing but the ends of the distribution.
  const RequestedTime alike{.latency = 200ms, .jitter = 100ms, .correlation = 0.95};
  const auto nothing = achieved_time("latency", alike, samples(std::vector<Nanos>(30, 200ms)));
  EXPECT_NEAR(nothing.tolerated_low(), 80, 0.2);
  EXPECT_NEAR(nothing.tolerated_high(), 320, 0.2);
}

v1::Achieved loss(double probability, std::uint64_t matched, std::uint64_t injected) {
  v1::Selection packets;
  packets.set_probability(probability);
  return achieved_share("loss", &packets, {.evaluated = matched, .matched = matched, .injected = injected});
}

TEST(AchievedShare, IsJudgedByWhatChanceAllows) {
  // 10 % of 1000: 99 of 100 outcomes lie from 75.6 to 124.4.
  EXPECT_TRUE(as_asked(loss(0.1, 1000, 76)));
  EXPECT_TRUE(as_asked(loss(0.1, 1000, 124)));
  EXPECT_FALSE(as_asked(loss(0.1, 1000, 75)));
  EXPECT_FALSE(as_asked(loss(0.1, 1000, 126)));
}

TEST(AchievedShare, OfAllPacketsNoneMayBeMissing) {
  EXPECT_TRUE(as_asked(loss(1.0, 100, 100)));
  EXPECT_FALSE(as_asked(loss(1.0, 100, 98)));
  EXPECT_TRUE(as_asked(achieved_share("dropped", nullptr, {.evaluated = 9, .matched = 50, .injected = 50})));
}

TEST(AchievedShare, OfBurstsAndFirstPacketsIsToldButNotJudged) {
  v1::Selection bursts;
  bursts.mutable_bursts()->set_enter_bad(0.1);
  bursts.mutable_bursts()->set_leave_bad(0.3);
  const auto told = achieved_share("loss", &bursts, {.evaluated = 1000, .matched = 1000, .injected = 900});
  EXPECT_FALSE(judged(told));
  EXPECT_NEAR(told.requested(), 25, 1e-9);
  EXPECT_NEAR(told.median(), 90, 1e-9);
  v1::Selection first;
  first.set_first(5);
  EXPECT_FALSE(judged(achieved_share("loss", &first, {.evaluated = 100, .matched = 100, .injected = 5})));
}

TEST(AchievedRate, IsThatOfTheTimeInWhichPacketsWaited) {
  SojournSamples busy;
  busy.busy = 2s;
  busy.busy_bytes = 25'000;
  busy.busy_packets = 100;
  const auto rate = achieved_rate(100'000, busy);
  EXPECT_NEAR(rate.median(), 100, 1e-9);
  EXPECT_TRUE(as_asked(rate));
  EXPECT_FALSE(as_asked(achieved_rate(120'000, busy)));
  EXPECT_FALSE(judged(achieved_rate(100'000, {})));
}

}  // namespace
}  // namespace faultline
