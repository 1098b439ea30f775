// The watchdog's work: holds the agent's wills, and carries them out when the agent has gone. Neither asks
// for memory nor takes a lock: it must work on a machine that has run out of everything.
#pragma once

#include "agent/watchdog/wire.h"

namespace faultline {

// Answers on `socket` (a WillAnswer of id 0 first) until its other end is gone, then carries out every will
// that is still held, and returns how many could not be. Static state: once a process.
int serve_wills(int socket) noexcept;

}  // namespace faultline
