#include "agent/kernel/jitter_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace faultline {
namespace {

constexpr double kScale = 8192;

// As netem adds it to the latency, in units of the jitter.
double netem_value(std::int16_t entry, std::int32_t jitter_ns) {
  std::int64_t x = std::int64_t{jitter_ns % 8192} * entry;
  x += x >= 0 ? 4096 : -4096;
  return static_cast<double>(x / 8192 + std::int64_t{jitter_ns / 8192} * entry) / jitter_ns;
}

double mean(JitterShape shape) {
  double sum = 0;
  for (const std::int16_t entry : jitter_table(shape)) sum += netem_value(entry, 10'000'000);
  return sum / kJitterTableSize;
}

double deviation(JitterShape shape) {
  const double m = mean(shape);
  double squares = 0;
  for (const std::int16_t entry : jitter_table(shape))
    squares += std::pow(netem_value(entry, 10'000'000) - m, 2);
  return std::sqrt(squares / kJitterTableSize);
}

class JitterTableOf : public ::testing::TestWithParam<JitterShape> {};

TEST_P(JitterTableOf, HasTheLatencyAsItsMeanAndTheDeviationItSays) {
  EXPECT_NEAR(mean(GetParam()), 0, 1e-4);
  EXPECT_NEAR(deviation(GetParam()), deviation_of(GetParam()), 2e-4);
}

TEST_P(JitterTableOf, Ascends) {
  const JitterTable& table = jitter_table(GetParam());
  EXPECT_TRUE(std::is_sorted(table.begin(), table.end()));
  EXPECT_LT(table.front(), table.back());
}

TEST_P(JitterTableOf, HasHalfItsEntriesBelowItsMedian) {
  const JitterTable& table = jitter_table(GetParam());
  const auto below = std::count_if(
      table.begin(), table.end(), [&](std::int16_t entry) { return entry / kScale < median_of(GetParam()); });
  EXPECT_NEAR(static_cast<double>(below), kJitterTableSize / 2.0, 2);
}

INSTANTIATE_TEST_SUITE_P(Shapes, JitterTableOf,
                         ::testing::Values(JitterShape::kUniform, JitterShape::kNormal, JitterShape::kPareto,
                                           JitterShape::kParetoNormal));

TEST(JitterTable, UniformStaysWithinTheJitterAndNearlyReachesIt) {
  const JitterTable& table = jitter_table(JitterShape::kUniform);
  EXPECT_GE(table.front(), -kScale);
  EXPECT_LE(table.back(), kScale);
  EXPECT_GT(longest_of(JitterShape::kUniform), 0.999);
  EXPECT_NEAR(table[kJitterTableSize / 4] / kScale, -0.5, 1e-3);
  EXPECT_NEAR(median_of(JitterShape::kUniform), 0, 1e-4);
}

TEST(JitterTable, NormalHasTheQuantilesOfTheNormalDistribution) {
  const JitterTable& table = jitter_table(JitterShape::kNormal);
  const auto at = [&](double p) { return table[static_cast<std::size_t>(p * kJitterTableSize)] / kScale; };
  EXPECT_NEAR(median_of(JitterShape::kNormal), 0, 1e-3);
  EXPECT_NEAR(at(0.8413), 1.0, 5e-3);
  EXPECT_NEAR(at(0.1587), -1.0, 5e-3);
  EXPECT_NEAR(at(0.9772), 2.0, 1e-2);
}

// Below netem's cut it is the Pareto distribution itself, moved and stretched.
TEST(JitterTable, ParetoHasTheQuantilesOfTheParetoDistributionUpToTheCut) {
  const JitterTable& table = jitter_table(JitterShape::kPareto);
  const auto at = [&](double p) { return table[static_cast<std::size_t>(p * kJitterTableSize)] / kScale; };
  const auto pareto = [](double p) { return std::pow(1 - p, -1.0 / 3); };
  const double stretch = (at(0.5) - at(0)) / (pareto(0.5) - pareto(0));
  for (const double p : {0.1, 0.25, 0.75, 0.9, 0.97}) {
    EXPECT_NEAR(at(p) - at(0), stretch * (pareto(p) - pareto(0)), 0.01) << p;
  }
  // What the cut takes from the tail's deviation, the stretch gives back: uncut it is 1 / sqrt(3/4).
  EXPECT_GT(stretch, 1 / std::sqrt(0.75));
  EXPECT_EQ(table.back(), 32767);
  EXPECT_NEAR(longest_of(JitterShape::kPareto), 4, 1e-3);
  EXPECT_GT(table.front(), -kScale);  // so the jitter may be as large as the latency
}

TEST(JitterTable, ParetoNormalLiesBetweenTheTwo) {
  EXPECT_LT(median_of(JitterShape::kParetoNormal), median_of(JitterShape::kNormal));
  EXPECT_GT(median_of(JitterShape::kParetoNormal), median_of(JitterShape::kPareto));
}

}  // namespace
}  // namespace faultline
