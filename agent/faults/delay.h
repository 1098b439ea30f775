// Network delay: each matching packet that leaves the target waits latency plus or minus jitter (uniform).
// Auto: steering program. Sticky: netem band (see net_shaper.h). Minimum kernel: 5.12.
#pragma once

#include <memory>

#include "agent/fault/fault.h"
#include "agent/faults/net_shaper.h"

namespace faultline {

std::unique_ptr<FaultKind> make_delay(NetShaper& shaper);

}  // namespace faultline
