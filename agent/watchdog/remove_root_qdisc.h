// Removes a root qdisc by hand-made netlink messages in static buffers: no memory is asked for, which is why
// this is not agent/kernel's. Moves the calling thread into the namespace. One caller at a time. Needs
// CAP_SYS_ADMIN there. Source of the format: rtnetlink(7), linux/pkt_sched.h.
#pragma once

#include <cstdint>

namespace faultline {

// On `ifindex` in the network namespace behind the descriptor, if it is a prio with this handle. Positive
// errno; ENOENT when no such qdisc is there (any more): nothing is touched then.
int remove_root_qdisc(int netns_fd, int ifindex, std::uint32_t handle) noexcept;

}  // namespace faultline
