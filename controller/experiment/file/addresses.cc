#include "controller/experiment/file/addresses.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "controller/experiment/file/target.h"
#include "controller/experiment/ip_network.h"

namespace faultline {
namespace {

template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text, Integer min, Integer max) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  return parse_integer<std::uint16_t>(text, 1, UINT16_MAX);
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.' || c == '_';
         });
}

// 10.0.0 and 10.0.0.256 would be taken for names, and fail only later.
bool looks_like_ipv4(std::string_view host) {
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Status check_host(std::string_view host) {
  if (!is_host_name(host)) return invalid_argument("'{}' is not a host name or address", host);
  if (looks_like_ipv4(host) && !parse_ip_address(host)) {
    return invalid_argument("'{}' is not an IPv4 address", host);
  }
  return ok_status();
}

struct Authority {
  std::string_view host;
  std::optional<std::string_view> port;
};

// host, host:port, [v6] or [v6]:port, the host checked.
StatusOr<Authority> split_authority(std::string_view text) {
  Authority authority;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return invalid_argument("'{}' has no closing ']'", text);
    authority.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
    const std::optional<IpNetwork> address = parse_ip_address(authority.host);
    if (!address || !address->ipv6) {
      return invalid_argument("'{}' is not an IPv6 address", authority.host);
    }
    if (!rest.empty() && rest.front() != ':') {
      return invalid_argument("'{}': only :port may follow the ']'", text);
    }
  } else {
    if (parse_ip_address(text).value_or(kAllIpv4).ipv6) {
      return invalid_argument("put the IPv6 address in brackets: [{}]", text);
    }
    const std::size_t colon = text.find(':');
    if (colon != text.rfind(':')) {
      return invalid_argument("'{}' has more than one ':'; an IPv6 address goes in brackets: [fd00::1]:80",
                              text);
    }
    authority.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
    FL_RETURN_IF_ERROR(check_host(authority.host));
  }
  if (!rest.empty()) authority.port = rest.substr(1);
  return authority;
}

}  // namespace

Status check_peer(std::string_view text) {
  constexpr std::string_view kForms =
      "10.0.0.7, 10.0.0.0/24, fd00::/64, a host name, or cgroup:PATH, pid:N or container:ID";
  for (const std::string_view scheme : {"cgroup:", "pid:", "container:"}) {
    if (text.starts_with(scheme)) return check_target(text);
  }
  const bool has_prefix = text.find('/') != std::string_view::npos;
  if (has_prefix || parse_ip_address(text)) {
    const Status network = parse_ip_network(text).status();
    if (network.ok() || parse_ip_address(text.substr(0, text.find('/')))) return network;
  }
  const bool address_meant = has_prefix || looks_like_ipv4(text) || text.find(':') != std::string_view::npos;
  if (address_meant) return invalid_argument("'{}' is not an address or network; write {}", text, kForms);
  const Status name = check_host_name(text);
  if (!name.ok()) return invalid_argument("{}; write {}", message_of(name), kForms);
  return ok_status();
}

Status check_host_name(std::string_view text) {
  constexpr std::size_t kMaxName = 253;
  constexpr std::size_t kMaxLabel = 63;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string_view rest = text;
  std::string_view label;
  bool good = !text.empty() && text.size() <= kMaxName;
  while (good && !rest.empty()) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    label = rest.substr(0, dot);
    // A dot at the very end says that the name is complete.
    rest.remove_prefix(std::min(dot + 1, rest.size()));
    good = !label.empty() && label.size() <= kMaxLabel && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(),
                       [&](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
  }
  good = good && !std::all_of(label.begin(), label.end(), is_digit);
  if (!good) return invalid_argument("'{}' is not a host name", text);
  return ok_status();
}

StatusOr<HostPort> parse_host_port(std::string_view text) {
  FL_ASSIGN_OR_RETURN(const Authority authority, split_authority(text));
  if (!authority.port) return invalid_argument("'{}' has no port; write it like 10.0.0.7:5432", text);
  const std::optional<std::uint16_t> port = parse_port(*authority.port);
  if (!port) return invalid_argument("'{}': the port must be from 1 to 65535", text);
  return HostPort{std::string(authority.host), *port};
}

StatusOr<Ports> parse_ports(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::optional<std::uint16_t> first = parse_port(text.substr(0, dash));
  const std::optional<std::uint16_t> last =
      dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last) {
    return invalid_argument("'{}' is not a port from 1 to 65535 or a range like 8000-8010", text);
  }
  if (*last < *first) return invalid_argument("'{}' runs backwards; write {}-{}", text, *last, *first);
  return Ports{*first, *last};
}

Status check_url(std::string_view text) {
  constexpr std::size_t kMaxLength = 2048;
  const std::size_t scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
  if (scheme != "http" && scheme != "https") {
    return invalid_argument("'{}' must begin with http:// or https://", text);
  }
  if (text.size() > kMaxLength) return invalid_argument("longer than {} bytes", kMaxLength);
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return invalid_argument("'{}' has a character that must be written as %XX", text);
  }
  const std::string_view after = text.substr(scheme_end + 3);
  const std::string_view authority = after.substr(0, after.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return invalid_argument("a user or password has no place in an experiment file's URL");
  }
  if (authority.empty()) return invalid_argument("'{}' names no host", text);
  FL_ASSIGN_OR_RETURN(const Authority parts, split_authority(authority));
  if (parts.port && !parse_port(*parts.port)) {
    return invalid_argument("'{}': the port must be from 1 to 65535", text);
  }
  return ok_status();
}

Status check_json_pointer(std::string_view text) {
  if (!text.empty() && !text.starts_with('/')) {
    return invalid_argument("'{0}' is not a JSON pointer; write /{0}", text);
  }
  for (std::size_t tilde = text.find('~'); tilde != std::string_view::npos;
       tilde = text.find('~', tilde + 1)) {
    if (tilde + 1 == text.size() || (text[tilde + 1] != '0' && text[tilde + 1] != '1')) {
      return invalid_argument("'{}': in a JSON pointer '~' is written ~0 and '/' inside a key ~1", text);
    }
  }
  return ok_status();
}

}  // namespace faultline
