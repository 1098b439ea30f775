#include "controller/clients/node_clock.h"

#include <algorithm>

namespace faultline {

NodeClock estimate_clock(std::span<const ClockReading> readings) {
  const auto round_trip = [](const ClockReading& reading) { return reading.answered - reading.asked; };
  const ClockReading& best = *std::min_element(
      readings.begin(), readings.end(),
      [&](const ClockReading& a, const ClockReading& b) { return round_trip(a) < round_trip(b); });
  const Nanos half = (round_trip(best) + Nanos(1)) / 2;  // rounded up: an uncertainty is never too small
  return {best.node - (best.asked + half), half};
}

}  // namespace faultline
