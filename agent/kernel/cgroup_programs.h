// Which BPF programs are attached to a cgroup: part of a target's kernel state. Minimum kernel: 4.15.
#pragma once

#include <cstdint>
#include <vector>

#include "common/status.h"

namespace faultline {

// Ids of the programs attached to the cgroup's egress hook itself (not to its ancestors).
StatusOr<std::vector<std::uint32_t>> egress_programs(int cgroup_fd);

}  // namespace faultline
