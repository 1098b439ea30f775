#include "controller/clients/node_clock.h"

#include <gtest/gtest.h>

#include <vector>

namespace faultline {
namespace {

using namespace std::chrono_literals;

TEST(NodeClock, TheShortestRoundTripKnowsBest) {
  const std::vector<ClockReading> readings = {
      {.asked = 100ms, .node = 160ms, .answered = 140ms},  // 40 ms
      {.asked = 200ms, .node = 251ms, .answered = 202ms},  // 2 ms: told at 200 to 202 ms
      {.asked = 300ms, .node = 390ms, .answered = 310ms},
  };
  const NodeClock clock = estimate_clock(readings);
  EXPECT_EQ(clock.offset, 50ms);
  EXPECT_EQ(clock.uncertainty, 1ms);
}

TEST(NodeClock, MayBeBehindAndFarOff) {
  const std::vector<ClockReading> readings = {{.asked = 10h, .node = 9h, .answered = 10h + 3ns}};
  const NodeClock clock = estimate_clock(readings);
  EXPECT_EQ(clock.uncertainty, 2ns) << "rounded up";
  EXPECT_LE(clock.offset - clock.uncertainty, -1h - 3ns);
  EXPECT_GE(clock.offset + clock.uncertainty, -1h);
}

// Wherever within the round trip the node looked at its clock, the truth lies within.
TEST(NodeClock, TheUncertaintyHoldsTheTruth) {
  constexpr Nanos kOffset = 7ms;
  for (Nanos looked{}; looked <= 100us; looked += 1us) {
    const std::vector<ClockReading> readings = {
        {.asked = 1s, .node = 1s + looked + kOffset, .answered = 1s + 100us}};
    const NodeClock clock = estimate_clock(readings);
    EXPECT_LE(clock.offset - clock.uncertainty, kOffset);
    EXPECT_GE(clock.offset + clock.uncertainty, kOffset);
  }
}

}  // namespace
}  // namespace faultline
