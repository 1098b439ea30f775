#include "controller/experiment/ip_network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace faultline {
namespace {

bool bit_at(const IpNetwork& network, std::size_t bit) {
  return (network.bytes[bit / 8] & (0x80U >> (bit % 8))) != 0;
}

void clear_beyond(IpNetwork& network, std::size_t prefix) {
  for (std::size_t bit = prefix; bit < network.bits(); ++bit) {
    network.bytes[bit / 8] &= static_cast<unsigned char>(~(0x80U >> (bit % 8)));
  }
}

}  // namespace

std::optional<IpNetwork> parse_ip_address(std::string_view text) {
  const std::string terminated(text);
  for (const bool ipv6 : {false, true}) {
    IpNetwork address{.ipv6 = ipv6, .bytes = {}, .prefix = ipv6 ? 128UL : 32UL};
    if (inet_pton(ipv6 ? AF_INET6 : AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  }
  return std::nullopt;
}

StatusOr<IpNetwork> parse_ip_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  std::optional<IpNetwork> network = parse_ip_address(text.substr(0, slash));
  if (!network) return invalid_argument("'{}' is not an address or network", text);
  if (slash == std::string_view::npos) return *network;

  const std::string_view digits = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), network->prefix);
  if (error != std::errc() || end != digits.data() + digits.size() || network->prefix > network->bits()) {
    return invalid_argument("'{}': the prefix must be from 0 to {}", text, network->bits());
  }
  const IpNetwork given = *network;
  clear_beyond(*network, network->prefix);
  if (*network != given) {
    return invalid_argument("'{}' has bits set beyond its prefix; the network is {}", text,
                            to_text(*network));
  }
  return *network;
}

std::string to_text(const IpNetwork& network) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(network.ipv6 ? AF_INET6 : AF_INET, network.bytes.data(), text.data(), text.size());
  return fmt::format("{}/{}", text.data(), network.prefix);
}

bool contains(const IpNetwork& outer, const IpNetwork& inner) {
  if (outer.ipv6 != inner.ipv6 || outer.prefix > inner.prefix) return false;
  for (std::size_t bit = 0; bit < outer.prefix; ++bit) {
    if (bit_at(outer, bit) != bit_at(inner, bit)) return false;
  }
  return true;
}

bool covered(const IpNetwork& network, std::span<const IpNetwork> parts) {
  const auto holds = [&](const IpNetwork& part) { return contains(part, network); };
  if (std::any_of(parts.begin(), parts.end(), holds)) return true;
  const auto inside = [&](const IpNetwork& part) { return contains(network, part); };
  if (std::none_of(parts.begin(), parts.end(), inside)) return false;
  // Some part lies strictly inside, so the network can be halved: it is covered if both halves are. Only
  // halves with a part inside are halved again, at most 128 times for each part.
  IpNetwork lower = network;
  ++lower.prefix;
  IpNetwork upper = lower;
  upper.bytes[network.prefix / 8] |= static_cast<unsigned char>(0x80U >> (network.prefix % 8));
  return covered(lower, parts) && covered(upper, parts);
}

}  // namespace faultline
