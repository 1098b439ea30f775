#include "controller/experiment/file/network_filter.h"

#include <algorithm>

#include "controller/experiment/file/addresses.h"
#include "controller/experiment/file/fault_keys.h"
#include "controller/experiment/file/limits.h"
#include "controller/experiment/ip_network.h"

namespace faultline {
namespace {

using Peers = google::protobuf::RepeatedPtrField<std::string>;
using PortRanges = google::protobuf::RepeatedPtrField<v1::PortRange>;

constexpr Word<v1::Protocol> kProtocols[] = {{"any", v1::PROTOCOL_ANY},
                                             {"tcp", v1::PROTOCOL_TCP},
                                             {"udp", v1::PROTOCOL_UDP},
                                             {"icmp", v1::PROTOCOL_ICMP}};
constexpr Word<v1::Direction> kDirections[] = {
    {"egress", v1::DIRECTION_EGRESS}, {"ingress", v1::DIRECTION_INGRESS}, {"both", v1::DIRECTION_BOTH}};
constexpr Word<v1::ShareOf> kShares[] = {{"packets", v1::SHARE_OF_PACKETS},
                                         {"connections", v1::SHARE_OF_CONNECTIONS}};

StatusOr<Peers> read_peers(const Fields& fields, std::string_view key) {
  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> items, fields.list(key));
  if (items.size() > kMaxPeers) return error_at(fields.at(key).pos, "{}: more than {}", key, kMaxPeers);
  Peers peers;
  for (const YamlNode& item : items) {
    FL_ASSIGN_OR_RETURN(*peers.Add(), read_text(item, key));
    const Status shape = check_peer(peers[peers.size() - 1]);
    if (!shape.ok()) return error_at(item.pos, "{}: {}", key, message_of(shape));
  }
  return peers;
}

// The addresses and networks among them; names and targets are known only later.
std::vector<IpNetwork> networks_of(const Peers& peers) {
  std::vector<IpNetwork> networks;
  for (const std::string& peer : peers) {
    if (const StatusOr<IpNetwork> network = parse_ip_network(peer); network.ok()) {
      networks.push_back(*network);
    }
  }
  return networks;
}

bool swallows_all(const Peers& except, const Peers& peers) {
  const std::vector<IpNetwork> parts = networks_of(except);
  if (peers.empty()) return covered(kAllIpv4, parts) && covered(kAllIpv6, parts);
  return std::all_of(peers.begin(), peers.end(), [&](const std::string& peer) {
    if (std::find(except.begin(), except.end(), peer) != except.end()) return true;
    const StatusOr<IpNetwork> network = parse_ip_network(peer);
    return network.ok() && covered(*network, parts);
  });
}

StatusOr<v1::Protocol> read_protocol(const Fields& fields, Concerns concerns) {
  const YamlNode* node = fields.find("protocol");
  if (node == nullptr) return v1::PROTOCOL_ANY;
  FL_ASSIGN_OR_RETURN(const v1::Protocol protocol, read_meaning(*node, "protocol", kProtocols));
  if (concerns == Concerns::kTcpConnections && protocol != v1::PROTOCOL_ANY && protocol != v1::PROTOCOL_TCP) {
    return error_at(node->pos, "protocol: this fault is about tcp connections; {} has none", node->text);
  }
  return protocol;
}

StatusOr<PortRanges> read_ports(const Fields& fields, std::string_view key, bool has_ports) {
  PortRanges ranges;
  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> items, fields.list(key));
  if (!items.empty() && !has_ports) {
    return error_at(fields.at(key).pos, "{}: need 'protocol: tcp' or 'protocol: udp' beside them", key);
  }
  for (const YamlNode& item : items) {
    FL_ASSIGN_OR_RETURN(const std::string text, read_text(item, key));
    const StatusOr<Ports> range = parse_ports(text);
    if (!range.ok()) return error_at(item.pos, "{}: {}", key, message_of(range.status()));
    v1::PortRange* added = ranges.Add();
    added->set_first(range->first);
    added->set_last(range->last);
  }
  return ranges;
}

StatusOr<v1::Direction> read_direction(const Fields& fields, Concerns concerns) {
  const YamlNode* node = fields.find("direction");
  if (node == nullptr) return v1::DIRECTION_UNSPECIFIED;
  FL_ASSIGN_OR_RETURN(const v1::Direction direction, read_meaning(*node, "direction", kDirections));
  if (concerns == Concerns::kTcpConnections) {
    return error_at(node->pos, "direction: a connection is reset as a whole; leave the direction out");
  }
  if (concerns != Concerns::kPackets && direction != v1::DIRECTION_EGRESS) {
    return error_at(node->pos,
                    "direction: this fault is about what the target itself does; only egress fits");
  }
  return direction;
}

Status read_share(const Fields& fields, v1::NetworkFilter& filter) {
  if (const YamlNode* node = fields.find("share")) {
    FL_ASSIGN_OR_RETURN(const double share, read_chance(*node, "share"));
    filter.set_share(share);
  }
  const YamlNode* of = fields.find("shareOf");
  if (of == nullptr) return ok_status();
  if (!filter.has_share()) return error_at(of->pos, "shareOf: needs a share beside it");
  FL_ASSIGN_OR_RETURN(const v1::ShareOf share_of, read_meaning(*of, "shareOf", kShares));
  filter.set_share_of(share_of);
  return ok_status();
}

}  // namespace

StatusOr<v1::NetworkFilter> read_network_filter(const YamlNode* node, Concerns concerns) {
  v1::NetworkFilter filter;
  if (node == nullptr) return filter;
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(*node, "traffic", kNetworkFilterKeys));
  FL_ASSIGN_OR_RETURN(*filter.mutable_peers(), read_peers(fields, "peers"));
  FL_ASSIGN_OR_RETURN(*filter.mutable_except(), read_peers(fields, "except"));
  if (!filter.except().empty() && swallows_all(filter.except(), filter.peers())) {
    return error_at(fields.at("except").pos, "except: leaves no peer, so the fault could never act");
  }
  FL_ASSIGN_OR_RETURN(const v1::Protocol protocol, read_protocol(fields, concerns));
  filter.set_protocol(protocol);
  const bool has_ports =
      concerns == Concerns::kTcpConnections || protocol == v1::PROTOCOL_TCP || protocol == v1::PROTOCOL_UDP;
  FL_ASSIGN_OR_RETURN(*filter.mutable_ports(), read_ports(fields, "ports", has_ports));
  FL_ASSIGN_OR_RETURN(*filter.mutable_local_ports(), read_ports(fields, "localPorts", has_ports));
  if (concerns == Concerns::kAttempts && !filter.local_ports().empty()) {
    return error_at(fields.at("localPorts").pos,
                    "localPorts: the target's own port is not known yet when it connects");
  }
  FL_ASSIGN_OR_RETURN(const v1::Direction direction, read_direction(fields, concerns));
  filter.set_direction(direction);
  FL_RETURN_IF_ERROR(read_share(fields, filter));
  return filter;
}

}  // namespace faultline
