// Asking the kernel by trying: in a network namespace made for the purpose, where nothing can be broken.
// Needs CAP_SYS_ADMIN. Minimum kernel: 3.8.
#pragma once

#include <functional>

#include "agent/kernel/netlink.h"
#include "agent/kernel/netns.h"
#include "common/status.h"

namespace faultline {

inline constexpr int kOnlyDevice = 1;  // that a new network namespace has: loopback, and down

// Runs `f` on a thread of its own in a new network namespace and waits for it. The namespace ends with the
// thread and the socket, and everything in it. `f` must not throw.
Status in_new_netns(const std::function<Status(NetlinkSocket&, const Netns&)>& f);

}  // namespace faultline
