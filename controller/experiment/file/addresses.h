// Checks the shapes of addresses in experiment files: what can be known without asking the network. Errors
// are INVALID_ARGUMENT without a place. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace faultline {

// An IPv4 or IPv6 address or network, a host name, or a target as in target.h: who may be at the other end of
// a packet.
Status check_peer(std::string_view text);

// Labels of letters, digits, '_' and inner '-', the last one not a number; at most 253 characters.
Status check_host_name(std::string_view text);

struct HostPort {
  std::string host;  // IPv6 without brackets
  std::uint16_t port = 0;
};

// name:port, 10.0.0.1:port or [fd00::1]:port.
StatusOr<HostPort> parse_host_port(std::string_view text);

// "8000" or "8000-8010", from 1 to 65535.
struct Ports {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};
StatusOr<Ports> parse_ports(std::string_view text);

// http:// or https://, a host, no user or password.
Status check_url(std::string_view text);

// RFC 6901: empty, or every part begins with '/', '~' only as ~0 and ~1.
Status check_json_pointer(std::string_view text);

}  // namespace faultline
