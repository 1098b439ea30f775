// Counts values over a wide range with a bounded relative error, in memory that is known when it is made:
// HdrHistogram's layout (Gil Tene; hdrhistogram.org), unit 1. Values are mostly nanoseconds. Not thread-safe:
// one for each worker, merged at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace faultline {

class Histogram {
 public:
  // `digits`, 1 to 4: values that differ in that many decimal digits are told apart. `highest`: what is above
  // is counted as that, and by saturated().
  Histogram(int digits, std::uint64_t highest);

  void record(std::uint64_t value, std::uint64_t times = 1);
  // Of the same digits and highest.
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  std::uint64_t saturated() const { return saturated_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }  // exact
  std::uint64_t max() const { return max_; }                    // exact
  double mean() const;
  double deviation() const;
  // The least value that a share `q` in [0, 1] of what was recorded does not exceed, up to the layout's
  // error; 0 where nothing was recorded.
  std::uint64_t quantile(double q) const;
  // How many values were recorded that the layout does not tell from `value` or less.
  std::uint64_t at_most(std::uint64_t value) const;

  int digits() const { return digits_; }
  std::size_t bytes() const { return counts_.size() * sizeof counts_[0]; }

 private:
  std::size_t index_of(std::uint64_t value) const;
  std::uint64_t lowest_at(std::size_t index) const;
  std::uint64_t highest_at(std::size_t index) const;

  int digits_;
  int half_magnitude_;  // of the number of entries by which a power of two is divided
  std::uint64_t highest_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0, saturated_ = 0, min_ = ~0ull, max_ = 0;
};

}  // namespace faultline
