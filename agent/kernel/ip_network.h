// An IPv4 or IPv6 network in the form the BPF rules compare: pure, no system calls.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace faultline {

struct IpNetwork {
  bool v6 = false;
  int prefix = 0;                       // bits
  std::array<std::uint32_t, 4> addr{};  // network byte order, masked; IPv4 in [0]
  std::array<std::uint32_t, 4> mask{};  // network byte order

  // Every address of `other` is in this network.
  bool contains(const IpNetwork& other) const;
};

// "10.0.0.7", "10.0.0.0/8", "fd00::/64". Bits beyond the prefix are refused: they hide a mistake.
StatusOr<IpNetwork> parse_ip_network(std::string_view text);

// From raw address bytes (4 or 16) as netlink gives them; bits beyond the prefix are cleared.
IpNetwork make_ip_network(const void* bytes, bool v6, int prefix);

std::string to_string(const IpNetwork& network);

}  // namespace faultline
