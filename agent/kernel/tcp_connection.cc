#include "agent/kernel/tcp_connection.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "bpf/abi/net_steer.h"

namespace faultline {
namespace {

IpNetwork to_address(const __be32 (&words)[4], std::uint8_t family) {
  in6_addr address{};
  std::memcpy(&address, words, sizeof address);
  if (family == AF_INET) return make_ip_network(words, false, 32);
  if (IN6_IS_ADDR_V4MAPPED(&address)) return make_ip_network(&words[3], false, 32);
  return make_ip_network(words, true, 128);
}

bool among(const IpNetwork& address, const std::vector<IpNetwork>& networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const IpNetwork& n) { return n.contains(address); });
}

bool among(std::uint16_t port, const std::vector<PortSpan>& spans) {
  return std::any_of(spans.begin(), spans.end(),
                     [&](const PortSpan& span) { return span.first <= port && port <= span.last; });
}

}  // namespace

TcpConnection to_connection(const inet_diag_msg& message, std::uint64_t cgroup_id) {
  return {.local = to_address(message.id.idiag_src, message.idiag_family),
          .peer = to_address(message.id.idiag_dst, message.idiag_family),
          .local_port = ntohs(message.id.idiag_sport),
          .peer_port = ntohs(message.id.idiag_dport),
          .cgroup_id = cgroup_id,
          .family = message.idiag_family,
          .id = message.id};
}

bool matches(const PacketMatch& match, const TcpConnection& connection) {
  if (match.protocol != FL_NET_PROTO_ANY && match.protocol != FL_NET_PROTO_TCP) return false;
  if (!match.peers.empty() && !among(connection.peer, match.peers)) return false;
  if (among(connection.peer, match.except)) return false;
  if (!match.ports.empty() && !among(connection.peer_port, match.ports)) return false;
  return match.local_ports.empty() || among(connection.local_port, match.local_ports);
}

std::uint32_t connection_dice(const TcpConnection& connection, std::uint64_t seed) {
  fl_net_packet packet{};
  std::copy(connection.peer.addr.begin(), connection.peer.addr.end(), packet.peer);
  std::copy(connection.local.addr.begin(), connection.local.addr.end(), packet.local);
  packet.peer_port = connection.peer_port;
  packet.local_port = connection.local_port;
  packet.protocol = FL_NET_PROTO_TCP;
  return fl_connection_dice(seed, &packet);
}

}  // namespace faultline
