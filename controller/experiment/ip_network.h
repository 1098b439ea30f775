// IPv4 and IPv6 networks as values: what experiment files name as peers, and how they lie to each other.
// Pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/status.h"

namespace faultline {

// An address is a network of one: its prefix is the whole length.
struct IpNetwork {
  bool ipv6 = false;
  std::array<unsigned char, 16> bytes{};  // network order, zero beyond the prefix; IPv4 in the first four
  std::size_t prefix = 0;

  std::size_t bits() const { return ipv6 ? 128 : 32; }
  bool is_address() const { return prefix == bits(); }
  bool operator==(const IpNetwork&) const = default;
};

inline const IpNetwork kAllIpv4{};
inline const IpNetwork kAllIpv6{.ipv6 = true, .bytes = {}, .prefix = 0};

// "10.0.0.7", "fd00::1"; nothing else.
std::optional<IpNetwork> parse_ip_address(std::string_view text);

// An address, or a network with no bit set beyond its prefix. INVALID_ARGUMENT without a place.
StatusOr<IpNetwork> parse_ip_network(std::string_view text);

// "10.0.0.0/24"
std::string to_text(const IpNetwork& network);

// Every address of `inner` is one of `outer`.
bool contains(const IpNetwork& outer, const IpNetwork& inner);

// Every address of `network` is one of `parts`, be it of several of them together.
bool covered(const IpNetwork& network, std::span<const IpNetwork> parts);

}  // namespace faultline
