// A target's routes and policy rules, as items to tell residue by. Its faults never touch them; what they do
// make are devices, to which nothing must lead.
#pragma once

#include <vector>

#include "agent/fault/state_item.h"
#include "agent/kernel/netns.h"
#include "common/status.h"

namespace faultline {

// Empty in the network namespace of the host or of the agent itself, whose routes others change at any time.
StatusOr<std::vector<StateItem>> route_items(const Netns& netns);

}  // namespace faultline
