// A jitter table cut into sixteen grades, each of delays that are alike: who chooses a packet's grade decides
// how long it waits, but for the little that delays of one grade differ by. Pure. Source of the cut: the
// quantiser of least squares (Lloyd 1982), on the table's entries.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "agent/kernel/jitter_table.h"

namespace faultline {

inline constexpr std::size_t kJitterGrades = 16;  // as many as a prio qdisc has bands

// Packets get grades by a discrete autoregressive process (DAR(1), Jacobs and Lewis 1978): with some
// probability the last packet's, else that of a table entry drawn anew. So delays are spread as the table
// says, whatever their correlation.
class JitterGrades {
 public:
  // Made at the first call for a shape, some milliseconds; any thread.
  static const JitterGrades& of(JitterShape shape);

  // One past the last table entry of each grade, ascending; the last is kJitterTableSize.
  const std::array<std::uint16_t, kJitterGrades>& ends() const { return ends_; }
  // The table entries of grade 0 .. 15; never empty.
  std::span<const std::int16_t> entries(std::size_t grade) const;
  // How likely a packet must keep the last one's grade, for the delays of two packets in a row to have this
  // correlation. At most 1; for that `correlation` must not be above kMostCorrelation.
  double keeping(double correlation) const;

 private:
  explicit JitterGrades(const JitterTable& table);

  const JitterTable& table_;
  std::array<std::uint16_t, kJitterGrades> ends_{};
  double between_ = 0;  // share of the variance that is between the grades, not within them
};

// Beyond it, the little within grades would have to be made up for by keeping them much longer.
inline constexpr double kMostCorrelation = 0.95;

}  // namespace faultline
