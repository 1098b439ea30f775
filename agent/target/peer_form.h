// The forms in which a peer of a target is named. Pure.
#pragma once

#include <string>

#include "common/status.h"

namespace faultline {

// An address or network: it means the same for ever.
bool is_fixed_peer(const std::string& peer);
// Another target on this node: container:, cgroup: or pid:.
bool is_target_peer(const std::string& peer);
// InvalidArgument, with the reason, unless it is one of these, well formed, or a host name.
Status check_peer(const std::string& peer);

}  // namespace faultline
