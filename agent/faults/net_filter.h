// From a NetworkFilter message to what the steering programs match. Pure.
#pragma once

#include <string>
#include <vector>

#include "agent/kernel/net_rules.h"
#include "common/status.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

struct TrafficFilter {
  PacketMatch fixed;                // all but the peers below
  std::vector<std::string> peers;   // names and targets: their addresses may change
  std::vector<std::string> except;  // the same
  bool egress = false;
  bool ingress = false;
  double share = 1.0;  // (0, 1]
  bool share_of_connections = false;

  bool may_change() const { return !peers.empty() || !except.empty(); }
};

// `usual` is the direction where none is given. InvalidArgument, naming the value: a bad peer, a bad port
// range, ports without TCP or UDP, a share out of range, exceptions that leave nothing.
StatusOr<TrafficFilter> to_traffic_filter(const v1::NetworkFilter& filter, v1::Direction usual);

// The exemptions that a match overrides by naming exactly their address or port, as bits by their place.
std::uint32_t lifted_by(const PacketMatch& match, const std::vector<Exemption>& exemptions);

}  // namespace faultline
