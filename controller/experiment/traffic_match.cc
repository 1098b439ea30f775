#include "controller/experiment/traffic_match.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "controller/experiment/ip_network.h"

namespace faultline {
namespace {

using Peers = google::protobuf::RepeatedPtrField<std::string>;
using PortRanges = google::protobuf::RepeatedPtrField<v1::PortRange>;

// A peer, an excepted one, or (no text) anybody of one family.
struct Peer {
  std::string text;
  std::optional<IpNetwork> network;  // unset: a name or a target
};

std::vector<Peer> to_peers(const Peers& texts) {
  std::vector<Peer> peers;
  for (const std::string& text : texts) {
    const StatusOr<IpNetwork> network = parse_ip_network(text);
    peers.push_back({text, network.ok() ? std::optional(*network) : std::nullopt});
  }
  return peers;
}

struct Filter {
  std::vector<Peer> peers;  // never empty
  std::vector<Peer> except;
};

Filter to_filter(const v1::NetworkFilter& traffic) {
  Filter filter{to_peers(traffic.peers()), to_peers(traffic.except())};
  if (filter.peers.empty()) filter.peers = {{"", kAllIpv4}, {"", kAllIpv6}};
  return filter;
}

// What of `peer` is left by what both filters except: none, perhaps some, some for sure.
Meet left_of(const Peer& peer, const Filter& a, const Filter& b) {
  std::vector<IpNetwork> parts;
  bool unknown = false;  // there are exceptions that may or may not hold it
  for (const Filter* filter : {&a, &b}) {
    for (const Peer& except : filter->except) {
      if (!except.text.empty() && except.text == peer.text) return Meet::kNo;
      if (except.network) parts.push_back(*except.network);
      unknown = unknown || !except.network || !peer.network;
    }
  }
  if (!peer.network) return unknown ? Meet::kMay : Meet::kYes;
  if (covered(*peer.network, parts)) return Meet::kNo;
  return unknown && peer.network->is_address() ? Meet::kMay : Meet::kYes;
}

Meet same_peer(const Peer& a, const Peer& b, const Filter& of_a, const Filter& of_b) {
  if (a.network && b.network) {
    if (contains(*a.network, *b.network)) return left_of(b, of_a, of_b);
    if (contains(*b.network, *a.network)) return left_of(a, of_a, of_b);
    return Meet::kNo;
  }
  if (a.text == b.text) return left_of(a, of_a, of_b);
  // A name or target that is within everybody, or within a network that may or may not hold it.
  const Peer& named = a.network ? b : a;
  const Peer& other = a.network ? a : b;
  return both(left_of(named, of_a, of_b), other.text.empty() ? Meet::kYes : Meet::kMay);
}

Meet same_peers(const Filter& a, const Filter& b) {
  Meet best = Meet::kNo;
  for (const Peer& peer : a.peers) {
    for (const Peer& other : b.peers) best = std::max(best, same_peer(peer, other, a, b));
  }
  return best;
}

bool same_ports(const PortRanges& a, const PortRanges& b) {
  if (a.empty() || b.empty()) return true;
  return std::any_of(a.begin(), a.end(), [&](const v1::PortRange& x) {
    return std::any_of(b.begin(), b.end(), [&](const v1::PortRange& y) {
      return x.first() <= y.last() && y.first() <= x.last();
    });
  });
}

bool goes(const v1::FaultSpec& spec, v1::Direction way) {
  const v1::Direction direction = direction_of(spec);
  return direction == v1::DIRECTION_BOTH || direction == way;
}

// Whether some name can match both patterns is not worth finding out: the same ones do, others may.
Meet same_names(const v1::Dns& a, const v1::Dns& b) {
  if (a.names().empty() || b.names().empty()) return Meet::kYes;
  for (const std::string& name : a.names()) {
    if (std::find(b.names().begin(), b.names().end(), name) != b.names().end()) return Meet::kYes;
  }
  return Meet::kMay;
}

// "/a/b" without doubled or trailing slashes, and with one in front.
std::string plain_path(std::string_view path) {
  std::string plain;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) plain += "/" + std::string(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return plain;
}

}  // namespace

Meet same_target(std::string_view a, std::string_view b) {
  constexpr std::string_view kCgroup = "cgroup:";
  if (a == b) return Meet::kYes;
  if (!a.starts_with(kCgroup) || !b.starts_with(kCgroup)) return Meet::kMay;
  const std::string path = plain_path(a.substr(kCgroup.size())) + "/";
  const std::string other = plain_path(b.substr(kCgroup.size())) + "/";
  if (path == other) return Meet::kYes;
  // A cgroup holds those below it; paths are counted from a root that only the node knows.
  const bool nested =
      path.starts_with(other) || other.starts_with(path) || path.ends_with(other) || other.ends_with(path);
  return nested ? Meet::kMay : Meet::kNo;
}

Meet same_packets(const v1::FaultSpec& a, const v1::FaultSpec& b) {
  if (subject_of(a) != subject_of(b)) return Meet::kNo;
  if (a.has_dns()) return same_names(a.dns(), b.dns());
  const auto common_way = [&](v1::Direction way) { return goes(a, way) && goes(b, way); };
  if (!common_way(v1::DIRECTION_EGRESS) && !common_way(v1::DIRECTION_INGRESS)) return Meet::kNo;
  const v1::Protocol protocol = protocol_of(a);
  const v1::Protocol other = protocol_of(b);
  if (protocol != other && protocol != v1::PROTOCOL_ANY && other != v1::PROTOCOL_ANY) return Meet::kNo;
  const v1::NetworkFilter& traffic = traffic_of(a);
  const v1::NetworkFilter& of_other = traffic_of(b);
  if (!same_ports(traffic.ports(), of_other.ports()) ||
      !same_ports(traffic.local_ports(), of_other.local_ports())) {
    return Meet::kNo;
  }
  return same_peers(to_filter(traffic), to_filter(of_other));
}

std::string_view subject_of(const v1::FaultSpec& spec) {
  if (spec.has_connect_error()) return "connection attempts";
  if (spec.has_reset()) return "connections";
  if (spec.has_dns()) return "queries";
  return "packets";
}

const v1::NetworkFilter& traffic_of(const v1::FaultSpec& spec) {
  switch (spec.kind_case()) {
    case v1::FaultSpec::kDelay:
      return spec.delay().traffic();
    case v1::FaultSpec::kLoss:
      return spec.loss().traffic();
    case v1::FaultSpec::kDuplicate:
      return spec.duplicate().traffic();
    case v1::FaultSpec::kCorrupt:
      return spec.corrupt().traffic();
    case v1::FaultSpec::kReorder:
      return spec.reorder().traffic();
    case v1::FaultSpec::kRate:
      return spec.rate().traffic();
    case v1::FaultSpec::kPartition:
      return spec.partition().traffic();
    case v1::FaultSpec::kReject:
      return spec.reject().traffic();
    case v1::FaultSpec::kConnectError:
      return spec.connect_error().traffic();
    case v1::FaultSpec::kReset:
      return spec.reset().traffic();
    default:
      return v1::NetworkFilter::default_instance();
  }
}

v1::Protocol protocol_of(const v1::FaultSpec& spec) {
  return spec.has_reset() ? v1::PROTOCOL_TCP : traffic_of(spec).protocol();
}

v1::Direction direction_of(const v1::FaultSpec& spec) {
  const v1::Direction direction = traffic_of(spec).direction();
  if (direction != v1::DIRECTION_UNSPECIFIED) return direction;
  return spec.has_partition() ? v1::DIRECTION_BOTH : v1::DIRECTION_EGRESS;
}

}  // namespace faultline
