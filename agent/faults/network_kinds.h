// The kinds of faults of a target's traffic; each in the file of its name. What its values mean says
// proto/faultline/v1/fault.proto. `traffic` must outlive the kind.
#pragma once

#include <memory>

#include "agent/fault/fault.h"
#include "agent/faults/net_traffic.h"

namespace faultline {

std::unique_ptr<FaultKind> make_delay(NetTraffic& traffic);
std::unique_ptr<FaultKind> make_loss(NetTraffic& traffic);
std::unique_ptr<FaultKind> make_duplicate(NetTraffic& traffic);
std::unique_ptr<FaultKind> make_corrupt(NetTraffic& traffic);
std::unique_ptr<FaultKind> make_reorder(NetTraffic& traffic);
std::unique_ptr<FaultKind> make_rate(NetTraffic& traffic);
std::unique_ptr<FaultKind> make_partition(NetTraffic& traffic);
std::unique_ptr<FaultKind> make_reject(NetTraffic& traffic);
std::unique_ptr<FaultKind> make_connect_error(NetTraffic& traffic);

}  // namespace faultline
