#include "agent/faults/table.h"

#include "agent/faults/delay.h"
#include "agent/faults/dns.h"
#include "agent/faults/loss.h"
#include "agent/faults/reset.h"

namespace faultline {

FaultTable make_fault_table(NetShaper& shaper) {
  FaultTable table;
  table.push_back(make_delay(shaper));
  table.push_back(make_loss(shaper));
  table.push_back(make_dns());
  table.push_back(make_reset());
  return table;
}

std::vector<StickyUndo> make_undo_table() {
  return {
      {.kind = NetShaper::kStickyKind, .undo = NetShaper::undo},
  };
}

}  // namespace faultline
