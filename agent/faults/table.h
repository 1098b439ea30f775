// All kinds of fault that this agent knows, explicitly. A new kind is one more line in make_fault_table.
#pragma once

#include <memory>
#include <vector>

#include "agent/fault/fault.h"
#include "agent/fault/sticky.h"
#include "agent/faults/net_traffic.h"

namespace faultline {

using FaultTable = std::vector<std::unique_ptr<FaultKind>>;

// Both must outlive the table.
FaultTable make_fault_table(NetTraffic& traffic, const PeerLookup& lookup);

// How to remove each kind of sticky state that any fault above makes.
std::vector<StickyUndo> make_undo_table();

}  // namespace faultline
