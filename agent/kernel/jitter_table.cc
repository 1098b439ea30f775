#include "agent/kernel/jitter_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace faultline {
namespace {

constexpr double kScale = 8192;  // NETEM_DIST_SCALE
constexpr double kLowest = std::numeric_limits<std::int16_t>::min() / kScale;
constexpr double kHighest = std::numeric_limits<std::int16_t>::max() / kScale;

using Quantiles = std::array<double, kJitterTableSize>;

// The middles of equal slices of probability: netem draws each entry as often as any other.
double probability_of(std::size_t i) {
  return (static_cast<double>(i) + 0.5) / kJitterTableSize;
}

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

Quantiles normal() {
  Quantiles z{};
  double at = -4;
  for (std::size_t i = 0; i < kJitterTableSize / 2; ++i) {
    // Newton from the last quantile: below the median the CDF is convex, so it cannot run away.
    for (int step = 0; step < 30; ++step) {
      const double density = std::exp(-at * at / 2) / std::sqrt(2 * std::numbers::pi);
      const double move = (probability_of(i) - normal_cdf(at)) / density;
      at += move;
      if (std::abs(move) < 1e-12) break;
    }
    z[i] = at;
    z[kJitterTableSize - 1 - i] = -at;
  }
  return z;
}

Quantiles pareto() {
  constexpr double kShape = 3;
  const double mean = kShape / (kShape - 1);
  const double deviation = std::sqrt(kShape / (kShape - 2)) / (kShape - 1);
  Quantiles x{};
  for (std::size_t i = 0; i < kJitterTableSize; ++i) {
    x[i] = (std::pow(1 - probability_of(i), -1 / kShape) - mean) / deviation;
  }
  return x;
}

Quantiles pareto_normal() {
  Quantiles mixed = pareto();
  const Quantiles z = normal();
  for (std::size_t i = 0; i < kJitterTableSize; ++i) mixed[i] = 0.25 * z[i] + 0.75 * mixed[i];
  return mixed;
}

Quantiles uniform() {
  Quantiles x{};
  for (std::size_t i = 0; i < kJitterTableSize; ++i) x[i] = 2 * probability_of(i) - 1;
  return x;
}

// Moves and stretches until, with what is beyond netem's range cut off, mean and deviation are 0 and 1.
void standardise(Quantiles& x) {
  const Quantiles from = x;
  double move = 0, stretch = 1;
  for (int round = 0; round < 200; ++round) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < kJitterTableSize; ++i) {
      x[i] = std::clamp(move + stretch * from[i], kLowest, kHighest);
      sum += x[i];
      squares += x[i] * x[i];
    }
    const double mean = sum / kJitterTableSize;
    const double deviation = std::sqrt(squares / kJitterTableSize - mean * mean);
    if (std::abs(mean) < 1e-9 && std::abs(deviation - 1) < 1e-9) return;
    move = (move - mean) / deviation;
    stretch /= deviation;
  }
}

JitterTable make(Quantiles quantiles, bool to_deviation_one) {
  if (to_deviation_one) standardise(quantiles);
  JitterTable table{};
  std::transform(quantiles.begin(), quantiles.end(), table.begin(),
                 [](double x) { return static_cast<std::int16_t>(std::lround(x * kScale)); });
  return table;
}

}  // namespace

const JitterTable& jitter_table(JitterShape shape) {
  switch (shape) {
    case JitterShape::kNormal: {
      static const JitterTable table = make(normal(), true);
      return table;
    }
    case JitterShape::kPareto: {
      static const JitterTable table = make(pareto(), true);
      return table;
    }
    case JitterShape::kParetoNormal: {
      static const JitterTable table = make(pareto_normal(), true);
      return table;
    }
    case JitterShape::kUniform:
      break;
  }
  static const JitterTable table = make(uniform(), false);
  return table;
}

double median_of(JitterShape shape) {
  const JitterTable& table = jitter_table(shape);
  return (table[kJitterTableSize / 2 - 1] + table[kJitterTableSize / 2]) / 2.0 / kScale;
}

double quantile_of(JitterShape shape, double probability) {
  const double at = std::clamp(probability, 0.0, 1.0) * kJitterTableSize;
  return jitter_table(shape)[std::min(static_cast<std::size_t>(at), kJitterTableSize - 1)] / kScale;
}

double deviation_of(JitterShape shape) {
  return shape == JitterShape::kUniform ? 1 / std::numbers::sqrt3 : 1;
}

double longest_of(JitterShape shape) {
  return jitter_table(shape).back() / kScale;
}

}  // namespace faultline
