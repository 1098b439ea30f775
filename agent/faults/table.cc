#include "agent/faults/table.h"

#include "agent/faults/dns.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/reset.h"

namespace faultline {

FaultTable make_fault_table(NetTraffic& traffic, const PeerLookup& lookup) {
  FaultTable table;
  table.push_back(make_delay(traffic));
  table.push_back(make_loss(traffic));
  table.push_back(make_duplicate(traffic));
  table.push_back(make_corrupt(traffic));
  table.push_back(make_reorder(traffic));
  table.push_back(make_rate(traffic));
  table.push_back(make_partition(traffic));
  table.push_back(make_reject(traffic));
  table.push_back(make_connect_error(traffic));
  table.push_back(make_dns());
  table.push_back(make_reset(lookup));
  return table;
}

std::vector<StickyUndo> make_undo_table() {
  return {
      {.kind = NetTrees::kStickyTree, .undo = NetTrees::undo_tree},
      {.kind = NetTrees::kStickyDetour, .undo = NetTrees::undo_detour},
  };
}

}  // namespace faultline
