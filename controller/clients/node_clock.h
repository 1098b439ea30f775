// How far a node's wall clock is from ours. Pure.
#pragma once

#include <span>

#include "common/clock.h"

namespace faultline {

struct NodeClock {
  Nanos offset{};       // to add to our time to get the node's
  Nanos uncertainty{};  // the true offset lies within offset +- uncertainty
};

// One question and its answer, as times since 1970.
struct ClockReading {
  Nanos asked{};     // by our clock
  Nanos node{};      // what the node told
  Nanos answered{};  // by our clock, not before `asked`
};

// The node looked at its clock somewhere between question and answer, so the reading with the shortest round
// trip knows best: half of it is the uncertainty. `readings` must not be empty.
NodeClock estimate_clock(std::span<const ClockReading> readings);

}  // namespace faultline
