// The shape of a fault's target: what can be known without asking the agent, which decides whether it exists
// and may be touched.
#pragma once

#include <string_view>

#include "common/status.h"

namespace faultline {

// cgroup:PATH, pid:N or container:ID. INVALID_ARGUMENT without a place.
Status check_target(std::string_view target);

}  // namespace faultline
