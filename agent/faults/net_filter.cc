#include "agent/faults/net_filter.h"

namespace faultline {
namespace {

StatusOr<fl_net_protocol> to_protocol(v1::Protocol protocol) {
  switch (protocol) {
    case v1::PROTOCOL_ANY:
      return FL_NET_PROTO_ANY;
    case v1::PROTOCOL_TCP:
      return FL_NET_PROTO_TCP;
    case v1::PROTOCOL_UDP:
      return FL_NET_PROTO_UDP;
    case v1::PROTOCOL_ICMP:
      return FL_NET_PROTO_ICMP;
    default:
      return invalid_argument("unknown protocol {}", static_cast<int>(protocol));
  }
}

}  // namespace

StatusOr<PacketMatch> to_packet_match(const v1::NetworkFilter& filter) {
  PacketMatch match;
  FL_ASSIGN_OR_RETURN(match.protocol, to_protocol(filter.protocol()));
  for (const std::string& peer : filter.peers()) {
    FL_ASSIGN_OR_RETURN(match.peers.emplace_back(), parse_ip_network(peer));
  }
  for (const v1::PortRange& range : filter.ports()) {
    if (range.first() < 1 || range.last() > 65535 || range.first() > range.last()) {
      return invalid_argument("port range {}-{}: ports go from 1 to 65535, the lower one first",
                              range.first(), range.last());
    }
    match.ports.push_back(
        {static_cast<std::uint16_t>(range.first()), static_cast<std::uint16_t>(range.last())});
  }
  if (!match.ports.empty() && match.protocol != FL_NET_PROTO_TCP && match.protocol != FL_NET_PROTO_UDP) {
    return invalid_argument("ports need protocol tcp or udp");
  }
  return match;
}

}  // namespace faultline
