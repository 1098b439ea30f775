// From a NetworkFilter message to what the steering program matches. Pure.
#pragma once

#include "agent/kernel/net_rules.h"
#include "common/status.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

// InvalidArgument, naming the value, for a bad peer, a bad port range, or ports without TCP or UDP.
StatusOr<PacketMatch> to_packet_match(const v1::NetworkFilter& filter);

}  // namespace faultline
