#include "agent/kernel/tcp_connection.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "bpf/abi/dice.h"

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
  std::uint64_t x = seed;
  for (std::size_t i = 0; i < connection.peer.addr.size(); ++i) {
    x = static_cast<std::uint64_t>(fl_dice(x ^ connection.peer.addr[i], connection.local.addr[i])) ^ x << 32;
  }
  return fl_dice(x ^ static_cast<std::uint64_t>(connection.peer_port) << 16 ^ connection.local_port, 0);
}

}  // namespace faultline
