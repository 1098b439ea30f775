// A TCP connection as sock_diag tells it, and which ones a filter concerns. Pure, no system calls.
#pragma once

#include <linux/inet_diag.h>

#include <cstdint>

#include "agent/kernel/ip_network.h"
#include "agent/kernel/net_rules.h"

namespace faultline {

struct TcpConnection {
  IpNetwork local, peer;  // single addresses; IPv4-mapped IPv6 ones are IPv4
  std::uint16_t local_port = 0;
  std::uint16_t peer_port = 0;
  std::uint64_t cgroup_id = 0;  // of whoever made the socket; 0: nobody's any more
  // The kernel's own name for it.
  std::uint8_t family = 0;
  inet_diag_sockid id{};
};

TcpConnection to_connection(const inet_diag_msg& message, std::uint64_t cgroup_id);

bool matches(const PacketMatch& match, const TcpConnection& connection);

// Uniform over [0, 2^32), always the same for the same seed, addresses and ports: the dice that the steering
// programs throw for its packets, so that with one seed all kinds of fault choose the same connections.
std::uint32_t connection_dice(const TcpConnection& connection, std::uint64_t seed);

}  // namespace faultline
