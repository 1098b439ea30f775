// The addresses under which a network namespace is known to others. Minimum kernel: 3.0.
#pragma once

#include <vector>

#include "agent/kernel/ip_network.h"
#include "agent/kernel/netns.h"
#include "common/status.h"

namespace faultline {

// Each as a network of one address, in ascending order; without those that mean something else elsewhere:
// loopback (127.0.0.0/8, ::1) and link-local (169.254.0.0/16, fe80::/10).
StatusOr<std::vector<IpNetwork>> addresses_in(const Netns& netns);

}  // namespace faultline
