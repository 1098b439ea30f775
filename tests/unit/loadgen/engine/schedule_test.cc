#include "loadgen/engine/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace faultline {
namespace {

using namespace std::chrono_literals;

Schedule schedule_of(std::vector<Stage> stages) {
  auto schedule = Schedule::make(std::move(stages));
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  return *schedule;
}

std::vector<Nanos> all(Arrivals arrivals) {
  std::vector<Nanos> times;
  for (; arrivals.next(); arrivals.advance()) times.push_back(*arrivals.next());
  return times;
}

TEST(Schedule, AConstantRateIsEvenlySpacedForeverWithoutDrift) {
  const Schedule schedule = schedule_of({{.length = 24h, .from_rate = 3, .to_rate = 3}});
  EXPECT_EQ(schedule.requests(), 3.0 * 86400);
  for (const double k : {0.0, 1.0, 2.0, 1000.0, 259199.0})
    EXPECT_EQ(schedule.when(k), Nanos(std::llround(k * 1e9 / 3))) << k;
  EXPECT_EQ(schedule.when(259200), std::nullopt);
}

TEST(Schedule, ARampSendsTheIntegralOfItsRate) {
  const Schedule schedule = schedule_of({{.length = 10s, .from_rate = 0, .to_rate = 100}});
  EXPECT_EQ(schedule.requests(), 500);
  // n = 5 t^2
  EXPECT_EQ(schedule.when(0), 0ns);
  EXPECT_EQ(schedule.when(5), 1s);
  EXPECT_EQ(schedule.when(125), 5s);
  EXPECT_NEAR(schedule.rate_at(5s), 50, 1e-9);
}

TEST(Schedule, ARampDownToNothingEndsInTime) {
  const Schedule schedule = schedule_of({{.length = 10s, .from_rate = 100, .to_rate = 0}});
  const auto last = schedule.when(499.999);
  ASSERT_TRUE(last);
  EXPECT_LE(*last, 10s);
  EXPECT_GT(*last, 9s);
}

TEST(Schedule, StagesFollowOneAnotherAndPausesSendNothing) {
  const Schedule schedule = schedule_of({{.length = 1s, .from_rate = 10, .to_rate = 10},
                                         {.length = 5s, .from_rate = 0, .to_rate = 0},
                                         {.length = 1s, .from_rate = 20, .to_rate = 20}});
  EXPECT_EQ(schedule.requests(), 30);
  EXPECT_EQ(schedule.length(), 7s);
  EXPECT_EQ(schedule.when(9), 900ms);
  EXPECT_EQ(schedule.when(10), 6s);
  EXPECT_EQ(schedule.when(11), 6s + 50ms);
  EXPECT_EQ(schedule.rate_at(3s), 0);
}

TEST(Schedule, TimesNeverGoBack) {
  const Schedule schedule = schedule_of({{.length = 777ms, .from_rate = 12345, .to_rate = 0.5},
                                         {.length = 3s, .from_rate = 0.5, .to_rate = 99999},
                                         {.length = 1ns, .from_rate = 1e9, .to_rate = 1e9}});
  Nanos before{};
  for (double k = 0; k < schedule.requests(); k += 1) {
    const auto time = schedule.when(k);
    ASSERT_TRUE(time);
    ASSERT_GE(*time, before) << k;
    before = *time;
  }
  EXPECT_LE(before, schedule.length());
}

TEST(Schedule, BadStagesAreNamed) {
  const double kNone = std::numeric_limits<double>::quiet_NaN();
  for (const Stage& stage : {Stage{0s, 1, 1}, Stage{-1s, 1, 1}, Stage{1s, -1, 1}, Stage{1s, 1, kNone}}) {
    const auto refused = Schedule::make({{1s, 1, 1}, stage});
    EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(message_of(refused.status()).find("stage 2: "), 0u) << refused.status();
  }
}

TEST(Arrivals, TheWorkersTogetherSendEveryRequestOnceAndInTurn) {
  const Schedule schedule = schedule_of({{.length = 3s, .from_rate = 50, .to_rate = 150}});
  std::vector<Nanos> together;
  for (unsigned worker = 0; worker < 4; ++worker) {
    const auto part = all(Arrivals::even(schedule, worker, 4));
    EXPECT_EQ(part.size(), 75u);
    together.insert(together.end(), part.begin(), part.end());
  }
  std::sort(together.begin(), together.end());
  EXPECT_EQ(together, all(Arrivals::even(schedule, 0, 1)));
}

TEST(Arrivals, ByChanceTheGapsAreExponentialAndTheRateIsTheOneAskedFor) {
  const Schedule schedule = schedule_of({{.length = 100s, .from_rate = 1000, .to_rate = 1000}});
  std::vector<Nanos> times;
  for (unsigned worker = 0; worker < 3; ++worker) {
    const auto part = all(Arrivals::poisson(schedule, worker, 3, 42));
    times.insert(times.end(), part.begin(), part.end());
  }
  std::sort(times.begin(), times.end());
  EXPECT_NEAR(static_cast<double>(times.size()), 100'000, 4 * std::sqrt(100'000));
  // Kolmogorov-Smirnov of the gaps against the exponential distribution of a millisecond; 1.95: one in a
  // thousand.
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times.size(); ++i)
    gaps.push_back(static_cast<double>((times[i] - times[i - 1]).count()) / 1e6);
  std::sort(gaps.begin(), gaps.end());
  double off = 0;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const double seen = static_cast<double>(i + 1) / static_cast<double>(gaps.size());
    off = std::max(off, std::abs(seen - (1 - std::exp(-gaps[i]))));
  }
  EXPECT_LT(off * std::sqrt(static_cast<double>(gaps.size())), 1.95);
}

TEST(Arrivals, TheSameSeedDrawsTheSameTimes) {
  const Schedule schedule = schedule_of({{.length = 1s, .from_rate = 100, .to_rate = 100}});
  EXPECT_EQ(all(Arrivals::poisson(schedule, 1, 2, 7)), all(Arrivals::poisson(schedule, 1, 2, 7)));
  EXPECT_NE(all(Arrivals::poisson(schedule, 1, 2, 7)), all(Arrivals::poisson(schedule, 1, 2, 8)));
  EXPECT_NE(all(Arrivals::poisson(schedule, 1, 2, 7)), all(Arrivals::poisson(schedule, 0, 2, 7)));
}

}  // namespace
}  // namespace faultline
