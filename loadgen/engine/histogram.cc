#include "loadgen/engine/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace faultline {
namespace {

// Twice 10^digits entries for each power of two, rounded up to a power of two; half of them, as an exponent.
int half_magnitude_of(int digits) {
  return static_cast<int>(std::ceil(std::log2(2 * std::pow(10, digits)))) - 1;
}

}  // namespace

Histogram::Histogram(int digits, std::uint64_t highest)
    : digits_(digits), half_magnitude_(half_magnitude_of(digits)), highest_(highest) {
  counts_.resize(index_of(highest) + 1);
}

// The first power of two's entries are all used, of each further one the upper half.
std::size_t Histogram::index_of(std::uint64_t value) const {
  const std::uint64_t mask = (2ull << half_magnitude_) - 1;
  const int bucket = static_cast<int>(std::bit_width(value | mask)) - half_magnitude_ - 1;
  const std::uint64_t within = value >> bucket;
  return (static_cast<std::size_t>(bucket) << half_magnitude_) + within;
}

std::uint64_t Histogram::lowest_at(std::size_t index) const {
  const std::size_t half = std::size_t{1} << half_magnitude_;
  if (index < 2 * half) return index;
  const std::size_t bucket = (index >> half_magnitude_) - 1;
  return ((index & (half - 1)) + half) << bucket;
}

std::uint64_t Histogram::highest_at(std::size_t index) const {
  return lowest_at(index + 1) - 1;
}

void Histogram::record(std::uint64_t value, std::uint64_t times) {
  if (times == 0) return;
  if (value > highest_) saturated_ += times;
  counts_[index_of(std::min(value, highest_))] += times;
  count_ += times;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(), std::plus<>());
  count_ += other.count_;
  saturated_ += other.saturated_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = saturated_ = max_ = 0;
  min_ = ~0ull;
}

double Histogram::mean() const {
  if (count_ == 0) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const double middle = (static_cast<double>(lowest_at(i)) + static_cast<double>(highest_at(i))) / 2;
    sum += middle * static_cast<double>(counts_[i]);
  }
  return sum / static_cast<double>(count_);
}

double Histogram::deviation() const {
  if (count_ == 0) return 0;
  const double centre = mean();
  double squares = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const double middle = (static_cast<double>(lowest_at(i)) + static_cast<double>(highest_at(i))) / 2;
    squares += (middle - centre) * (middle - centre) * static_cast<double>(counts_[i]);
  }
  return std::sqrt(squares / static_cast<double>(count_));
}

std::uint64_t Histogram::quantile(double q) const {
  if (count_ == 0) return 0;
  // A share that is a whole number of values but for its rounding means just those.
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_) * (1 - 1e-12));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::clamp(highest_at(i), min_, max_);
  }
  return max_;
}

std::uint64_t Histogram::at_most(std::uint64_t value) const {
  const std::size_t last = index_of(std::min(value, highest_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i <= last; ++i) seen += counts_[i];
  return seen;
}

}  // namespace faultline
