#include "controller/experiment/describe.h"

#include <fmt/format.h>

namespace faultline {

std::string describe(const Sample& sample) {
  if (sample.detail.empty()) return to_string(sample.state);
  return fmt::format("{} ({})", to_string(sample.state), sample.detail);
}

std::string rounded(Nanos time) {
  const double ms = std::chrono::duration<double, std::milli>(time).count();
  if (ms >= 1000) return fmt::format("{:.1f} s", ms / 1000);
  if (ms >= 10 || ms == 0) return fmt::format("{:.0f} ms", ms);
  return fmt::format("{:.2f} ms", ms);
}

std::string describe(const Interval& interval) {
  if (!interval.latest) return fmt::format("not within {}", rounded(interval.earliest));
  return fmt::format("between {} and {}", rounded(interval.earliest), rounded(*interval.latest));
}

}  // namespace faultline
