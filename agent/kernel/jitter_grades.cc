#include "agent/kernel/jitter_grades.h"

#include <algorithm>
#include <numeric>

namespace faultline {
namespace {

double mean(std::span<const std::int16_t> entries) {
  return std::accumulate(entries.begin(), entries.end(), 0.0) / static_cast<double>(entries.size());
}

double squares_about(std::span<const std::int16_t> entries, double centre) {
  return std::accumulate(entries.begin(), entries.end(), 0.0, [&](double sum, std::int16_t entry) {
    return sum + (entry - centre) * (entry - centre);
  });
}

}  // namespace

JitterGrades::JitterGrades(const JitterTable& table) : table_(table) {
  for (std::size_t i = 0; i < kJitterGrades; ++i) {
    ends_[i] = static_cast<std::uint16_t>(kJitterTableSize * (i + 1) / kJitterGrades);
  }
  // Each entry to the grade whose mean is nearest, until none moves.
  constexpr int kMostRounds = 500;
  for (int round = 0; round < kMostRounds; ++round) {
    const auto before = ends_;
    std::array<double, kJitterGrades> means{};
    for (std::size_t i = 0; i < kJitterGrades; ++i) means[i] = mean(entries(i));
    for (std::size_t i = 0; i + 1 < kJitterGrades; ++i) {
      const auto first_above = std::lower_bound(table.begin(), table.end(), (means[i] + means[i + 1]) / 2);
      ends_[i] = static_cast<std::uint16_t>(first_above - table.begin());
    }
    if (ends_ == before) break;
  }
  double within = 0;
  for (std::size_t i = 0; i < kJitterGrades; ++i) within += squares_about(entries(i), mean(entries(i)));
  between_ = 1 - within / squares_about(table, mean(table));
}

const JitterGrades& JitterGrades::of(JitterShape shape) {
  static const JitterGrades normal(jitter_table(JitterShape::kNormal));
  static const JitterGrades pareto(jitter_table(JitterShape::kPareto));
  static const JitterGrades pareto_normal(jitter_table(JitterShape::kParetoNormal));
  static const JitterGrades uniform(jitter_table(JitterShape::kUniform));
  switch (shape) {
    case JitterShape::kNormal:
      return normal;
    case JitterShape::kPareto:
      return pareto;
    case JitterShape::kParetoNormal:
      return pareto_normal;
    case JitterShape::kUniform:
      break;
  }
  return uniform;
}

std::span<const std::int16_t> JitterGrades::entries(std::size_t grade) const {
  const std::size_t begin = grade == 0 ? 0 : ends_[grade - 1];
  return std::span(table_).subspan(begin, ends_[grade] - begin);
}

double JitterGrades::keeping(double correlation) const {
  return std::min(1.0, correlation / between_);
}

}  // namespace faultline
