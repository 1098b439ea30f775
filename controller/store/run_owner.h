// Which process a run belongs to, so that a run can be told from one whose controller was killed. A pid alone
// is not enough: it is used again after a while, after a reboot, and in every container.
#pragma once

#include <cstdint>
#include <string>

#include "common/status.h"

namespace faultline {

struct RunOwner {
  std::int64_t pid = 0;
  std::int64_t start_ticks =
      0;                // clock ticks since boot at which the process started: field 22 of /proc/PID/stat
  std::string boot_id;  // /proc/sys/kernel/random/boot_id
  std::string pid_namespace;  // pid:[4026531836]; the pid means something only inside it
};

StatusOr<RunOwner> this_process();

// True only when the owner has certainly ended. An owner in another pid namespace of the same boot cannot be
// seen from here and counts as alive.
bool has_ended(const RunOwner& owner);

}  // namespace faultline
