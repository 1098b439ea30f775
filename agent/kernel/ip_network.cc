#include "agent/kernel/ip_network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace faultline {

bool IpNetwork::contains(const IpNetwork& other) const {
  if (v6 != other.v6 || prefix > other.prefix) return false;
  for (std::size_t i = 0; i < addr.size(); ++i) {
    if ((other.addr[i] & mask[i]) != addr[i]) return false;
  }
  return true;
}

IpNetwork make_ip_network(const void* bytes, bool v6, int prefix) {
  IpNetwork network{.v6 = v6, .prefix = prefix};
  std::memcpy(network.addr.data(), bytes, v6 ? 16 : 4);
  for (std::size_t i = 0; i < network.addr.size(); ++i) {
    const int bits = std::clamp(prefix - static_cast<int>(i) * 32, 0, 32);
    network.mask[i] = bits == 0 ? 0u : htonl(~0u << (32 - bits));
    network.addr[i] &= network.mask[i];
  }
  return network;
}

StatusOr<IpNetwork> parse_ip_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  const bool v6 = address.find(':') != std::string::npos;
  unsigned char bytes[16] = {};
  if (::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), bytes) != 1) {
    return invalid_argument("\"{}\" is neither an IPv4 nor an IPv6 address or network", text);
  }
  int prefix = v6 ? 128 : 32;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || prefix < 0 ||
        prefix > (v6 ? 128 : 32)) {
      return invalid_argument("\"{}\": the prefix must be a number from 0 to {}", text, v6 ? 128 : 32);
    }
  }
  const IpNetwork network = make_ip_network(bytes, v6, prefix);
  if (std::memcmp(network.addr.data(), bytes, v6 ? 16 : 4) != 0) {
    return invalid_argument("\"{}\" has address bits beyond its prefix; the network is {}", text,
                            to_string(network));
  }
  return network;
}

std::string to_string(const IpNetwork& network) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(network.v6 ? AF_INET6 : AF_INET, network.addr.data(), text, sizeof text);
  return fmt::format("{}/{}", text, network.prefix);
}

}  // namespace faultline
