#include "agent/faults/net_filter.h"

#include <algorithm>

#include "agent/target/peer_form.h"

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

using PortRanges = google::protobuf::RepeatedPtrField<v1::PortRange>;
using Texts = google::protobuf::RepeatedPtrField<std::string>;

StatusOr<std::vector<PortSpan>> to_spans(const PortRanges& ranges) {
  std::vector<PortSpan> spans;
  for (const v1::PortRange& range : ranges) {
    if (range.first() < 1 || range.last() > 65535 || range.first() > range.last()) {
      return invalid_argument("port range {}-{}: ports go from 1 to 65535, the lower one first",
                              range.first(), range.last());
    }
    spans.push_back({static_cast<std::uint16_t>(range.first()), static_cast<std::uint16_t>(range.last())});
  }
  return spans;
}

Status sort_peers(const Texts& texts, std::vector<IpNetwork>& fixed, std::vector<std::string>& moving) {
  for (const std::string& text : texts) {
    if (is_fixed_peer(text)) {
      FL_ASSIGN_OR_RETURN(fixed.emplace_back(), parse_ip_network(text));
    } else {
      FL_RETURN_IF_ERROR(check_peer(text));
      moving.push_back(text);
    }
  }
  return ok_status();
}

bool covered(const IpNetwork& network, const std::vector<IpNetwork>& by) {
  return std::any_of(by.begin(), by.end(), [&](const IpNetwork& n) { return n.contains(network); });
}

}  // namespace

StatusOr<TrafficFilter> to_traffic_filter(const v1::NetworkFilter& filter, v1::Direction usual) {
  TrafficFilter traffic;
  PacketMatch& match = traffic.fixed;
  FL_ASSIGN_OR_RETURN(match.protocol, to_protocol(filter.protocol()));
  FL_RETURN_IF_ERROR(sort_peers(filter.peers(), match.peers, traffic.peers));
  FL_RETURN_IF_ERROR(sort_peers(filter.except(), match.except, traffic.except));
  FL_ASSIGN_OR_RETURN(match.ports, to_spans(filter.ports()));
  FL_ASSIGN_OR_RETURN(match.local_ports, to_spans(filter.local_ports()));
  const bool ports = !match.ports.empty() || !match.local_ports.empty();
  if (ports && match.protocol != FL_NET_PROTO_TCP && match.protocol != FL_NET_PROTO_UDP) {
    return invalid_argument("ports need protocol tcp or udp");
  }
  const bool all_out =
      std::all_of(match.peers.begin(), match.peers.end(), [&](auto& p) { return covered(p, match.except); });
  if (!match.peers.empty() && traffic.peers.empty() && all_out) {
    return invalid_argument("the exceptions leave none of the peers");
  }
  if (rules_in(match) > FL_NET_MAX_RULES) {
    return invalid_argument("{} rules (addresses, networks and port ranges), at most {}", rules_in(match),
                            FL_NET_MAX_RULES);
  }
  const v1::Direction direction =
      filter.direction() == v1::DIRECTION_UNSPECIFIED ? usual : filter.direction();
  traffic.egress = direction == v1::DIRECTION_EGRESS || direction == v1::DIRECTION_BOTH;
  traffic.ingress = direction == v1::DIRECTION_INGRESS || direction == v1::DIRECTION_BOTH;
  if (!traffic.egress && !traffic.ingress) {
    return invalid_argument("unknown direction {}", static_cast<int>(direction));
  }
  if (filter.has_share()) traffic.share = filter.share();
  // Written so that NaN is refused, too.
  if (!(traffic.share > 0.0 && traffic.share <= 1.0)) {
    return invalid_argument("share must be above 0 and at most 1");
  }
  traffic.share_of_connections = filter.share_of() == v1::SHARE_OF_CONNECTIONS;
  return traffic;
}

std::uint32_t lifted_by(const PacketMatch& match, const std::vector<Exemption>& exemptions) {
  std::uint32_t lifted = 0;
  for (std::size_t i = 0; i < exemptions.size(); ++i) {
    const PacketMatch& exempt = exemptions[i].match;
    const bool address = !exempt.peers.empty() &&
                         std::all_of(match.peers.begin(), match.peers.end(),
                                     [&](const IpNetwork& p) { return covered(p, exempt.peers); }) &&
                         !match.peers.empty();
    const bool port = exempt.peers.empty() &&
                      std::any_of(match.ports.begin(), match.ports.end(), [&](const PortSpan& span) {
                        return std::any_of(exempt.ports.begin(), exempt.ports.end(), [&](const PortSpan& e) {
                          return span.first == e.first && span.last == e.last;
                        });
                      });
    if (address || port) lifted |= 1u << i;
  }
  return lifted;
}

}  // namespace faultline
