#include "agent/kernel/jitter_grades.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace faultline {
namespace {

class Grades : public ::testing::TestWithParam<JitterShape> {
 protected:
  const JitterGrades& grades = JitterGrades::of(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Shapes, Grades,
                         ::testing::Values(JitterShape::kUniform, JitterShape::kNormal, JitterShape::kPareto,
                                           JitterShape::kParetoNormal));

TEST_P(Grades, HoldEveryEntryOfTheTableInItsOrder) {
  std::vector<std::int16_t> all;
  for (std::size_t i = 0; i < kJitterGrades; ++i) {
    const auto entries = grades.entries(i);
    EXPECT_FALSE(entries.empty()) << i;
    EXPECT_EQ(grades.ends()[i], all.size() + entries.size());
    all.insert(all.end(), entries.begin(), entries.end());
  }
  const JitterTable& table = jitter_table(GetParam());
  EXPECT_EQ(all, std::vector<std::int16_t>(table.begin(), table.end()));
}

TEST_P(Grades, TheMostCorrelationIsWithinReach) {
  EXPECT_GE(grades.keeping(kMostCorrelation), kMostCorrelation);
  EXPECT_LT(grades.keeping(kMostCorrelation), 0.96);
  EXPECT_EQ(grades.keeping(0), 0);
}

// The process as the BPF program and netem carry it out between them.
TEST_P(Grades, KeepingThemCorrelatesDelaysAsAskedAndSpreadsThemAsEver) {
  constexpr std::size_t kPackets = 200'000;
  constexpr double kCorrelation = 0.8;
  std::mt19937_64 chance(1);
  std::uniform_real_distribution<double> probability;
  std::vector<double> x;
  std::size_t grade = 0;
  for (std::size_t n = 0; n < kPackets; ++n) {
    if (n == 0 || probability(chance) >= grades.keeping(kCorrelation)) {
      const auto entry = chance() % kJitterTableSize;
      for (grade = 0; entry >= grades.ends()[grade];) ++grade;
    }
    const auto entries = grades.entries(grade);
    x.push_back(entries[chance() % entries.size()] / 8192.0);
  }
  double mean = 0, variance = 0, lag_1 = 0, lag_3 = 0;
  for (const double value : x) mean += value / kPackets;
  for (std::size_t n = 3; n < kPackets; ++n) {
    variance += (x[n] - mean) * (x[n] - mean);
    lag_1 += (x[n] - mean) * (x[n - 1] - mean);
    lag_3 += (x[n] - mean) * (x[n - 3] - mean);
  }
  EXPECT_NEAR(mean, 0, 0.03);
  EXPECT_NEAR(std::sqrt(variance / kPackets), deviation_of(GetParam()), 0.03);
  EXPECT_NEAR(lag_1 / variance, kCorrelation, 0.01);
  EXPECT_NEAR(lag_3 / variance, std::pow(kCorrelation, 3), 0.02);
}

}  // namespace
}  // namespace faultline
