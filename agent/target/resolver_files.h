// What a host name means according to /etc/hosts and /etc/resolv.conf, as texts: pure, for they are read from
// a container and not to be trusted. Sources: hosts(5), resolv.conf(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/kernel/ip_network.h"

namespace faultline {

struct ResolverSettings {
  std::vector<std::string> nameservers;  // addresses, at most three; 127.0.0.1 where the file names none
  std::vector<std::string> search;       // domains, at most six
  int ndots = 1;
};

// Lines that make no sense are passed over, as the C library does.
ResolverSettings parse_resolv_conf(std::string_view text);

// The addresses that a hosts file gives the name, each once; without regard to case.
std::vector<IpNetwork> addresses_in_hosts(std::string_view text, std::string_view name);

// InvalidArgument unless the text can be a host name: labels of letters, digits, "-" and "_", not all of them
// digits.
Status check_host_name(std::string_view name);

}  // namespace faultline
