// What the agent and its watchdog tell each other over a SOCK_SEQPACKET pair, one struct a packet. Both ends
// are the same binary, so there is no version and no byte order. A will's descriptor travels beside it
// (SCM_RIGHTS).
#pragma once

#include <cstdint>

#include "agent/fault/sticky_will.h"

namespace faultline {

struct WillMessage {
  enum class Op : std::uint32_t {
    kHold,      // answered: it is held from the answer on
    kWithdraw,  // not answered
  };
  Op op = Op::kHold;
  StickyWill::Action action = StickyWill::Action::kNothing;
  std::uint64_t id = 0;
  std::int32_t ifindex = 0;
  std::uint32_t handle = 0;
};

// The first one, with id 0, comes by itself: the watchdog has set itself up.
struct WillAnswer {
  std::uint64_t id = 0;
  std::int32_t error = 0;  // positive errno; 0: held
  std::uint32_t unused = 0;
};

inline constexpr std::size_t kMaxWills = 512;

}  // namespace faultline
