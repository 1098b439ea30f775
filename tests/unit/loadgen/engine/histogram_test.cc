#include "loadgen/engine/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace faultline {
namespace {

constexpr std::uint64_t kHour = 3'600'000'000'000;

class Digits : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(OneToFour, Digits, ::testing::Values(1, 2, 3, 4));

TEST_P(Digits, QuantilesAreRightToSoManyDigits) {
  Histogram histogram(GetParam(), kHour);
  std::mt19937_64 chance(1);
  std::lognormal_distribution<double> spread(13, 3);  // around half a millisecond, over many orders
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 50'000; ++i) {
    values.push_back(std::min(kHour, static_cast<std::uint64_t>(spread(chance))));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(q * 50'000))) - 1;
    const auto exact = static_cast<double>(values[rank]);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(q)), exact, exact * std::pow(10, -GetParam()) + 1)
        << q;
  }
  EXPECT_EQ(histogram.min(), values.front());
  EXPECT_EQ(histogram.max(), values.back());
  EXPECT_EQ(histogram.count(), 50'000u);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram(2, kHour);
  for (std::uint64_t value = 0; value < 200; ++value) histogram.record(value);
  for (std::uint64_t value = 0; value < 200; ++value) {
    EXPECT_EQ(histogram.quantile(static_cast<double>(value + 1) / 200), value);
    EXPECT_EQ(histogram.at_most(value), value + 1);
  }
  EXPECT_DOUBLE_EQ(histogram.mean(), 99.5);
  EXPECT_NEAR(histogram.deviation(), 57.73, 0.01);
}

TEST(Histogram, WhatIsBeyondItsRangeIsCountedAndTold) {
  Histogram histogram(3, 1'000'000);
  histogram.record(5'000'000, 3);
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_EQ(histogram.saturated(), 3u);
  EXPECT_EQ(histogram.max(), 5'000'000u);
}

TEST(Histogram, PartsMergedAreTheWhole) {
  Histogram whole(3, kHour), first(3, kHour), second(3, kHour);
  for (std::uint64_t value = 1; value < 5'000'000; value = value * 5 / 4 + 1) {
    whole.record(value, 2);
    (value % 2 ? first : second).record(value, 2);
  }
  first.merge(second);
  EXPECT_EQ(first.count(), whole.count());
  for (const double q : {0.1, 0.5, 0.9, 0.99}) EXPECT_EQ(first.quantile(q), whole.quantile(q));
  EXPECT_EQ(first.min(), whole.min());
  EXPECT_EQ(first.max(), whole.max());
}

TEST(Histogram, ItsMemoryIsThatOfItsDigits) {
  EXPECT_LT(Histogram(2, kHour).bytes(), 50'000u);
  EXPECT_LT(Histogram(3, kHour).bytes(), 300'000u);
}

TEST(Histogram, EmptyItSaysNothing) {
  Histogram histogram(3, kHour);
  EXPECT_EQ(histogram.quantile(0.99), 0u);
  EXPECT_EQ(histogram.mean(), 0);
  histogram.record(7);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
}

}  // namespace
}  // namespace faultline
