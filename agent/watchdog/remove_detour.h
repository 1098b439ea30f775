// Removes the veth pair of a detour (agent/kernel/detour.h), with the qdiscs on it, asking for no memory.
// Moves the calling thread into the namespace. One caller at a time. Needs CAP_SYS_ADMIN there. Source of the
// format: linux/if_link.h.
#pragma once

#include <cstdint>

namespace faultline {

// The pair whose first end is named fa17-`ifindex`, in the network namespace behind the descriptor, if it is
// of this group, too. Positive errno; ENODEV when no such pair is there (any more): nothing is touched then.
int remove_detour(int netns_fd, int ifindex, std::uint32_t group) noexcept;

}  // namespace faultline
