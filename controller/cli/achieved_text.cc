#include "controller/cli/achieved_text.h"

#include <fmt/format.h>

#include "controller/report/format.h"

namespace faultline {

std::string achieved_text(const v1::Achieved& achieved) {
  const std::string& unit = achieved.unit();
  std::string text =
      fmt::format("{} requested {} {}, ", achieved.name(), number_text(achieved.requested()), unit);
  if (achieved.samples() == 0) return text + "achieved was not measured";
  const bool is_share = achieved.p05() == achieved.median() && achieved.p95() == achieved.median();
  if (is_share) {
    return text + fmt::format("achieved {} {} ({} samples)", number_text(achieved.median()), unit,
                              achieved.samples());
  }
  return text + fmt::format("achieved median {} {} (p05 {}, p95 {}, {} samples)",
                            number_text(achieved.median()), unit, number_text(achieved.p05()),
                            number_text(achieved.p95()), achieved.samples());
}

std::string counters_text(const v1::Counters& counters) {
  return fmt::format("evaluated {}, matched {}, injected {}", counters.evaluated(), counters.matched(),
                     counters.injected());
}

}  // namespace faultline
