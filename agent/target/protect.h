// Which cgroups may never be targets: the blast radius ends before what the host itself needs.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"

namespace faultline {

// PermissionDenied, with the reason, for the root cgroup, for one in, below or above `protect`, and for one
// that holds init, this process, or a host-critical daemon (of this process's own pid namespace).
Status check_not_protected(const std::string& cgroup, const std::vector<pid_t>& processes,
                           const std::vector<std::string>& protect);

}  // namespace faultline
