// Network loss: each matching packet that leaves the target is dropped with a probability, silently: the
// sender sees success. BPF draws the dice (seeded, replayable) and steers the losers into a black hole that drops
// everything. Auto: steering program. Sticky: blackhole band (see net_shaper.h). Minimum kernel: 5.12.
#pragma once

#include <memory>

#include "agent/fault/fault.h"
#include "agent/faults/net_shaper.h"

namespace faultline {

std::unique_ptr<FaultKind> make_loss(NetShaper& shaper);

}  // namespace faultline
