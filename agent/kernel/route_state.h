// The routes and policy rules of a network namespace, of IPv4 and IPv6 and in all tables, for telling what a
// fault left behind: those that somebody has set, and whatever leads to a detour's devices. The devices and
// addresses, too, for the kernel takes away routes whose device goes, or goes down, or loses its last address
// of IPv4, and those with a preferred source that goes. Minimum kernel: 4.16 (how often a device has lost its
// carrier).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/kernel/netlink.h"
#include "agent/kernel/route_text.h"
#include "common/status.h"

namespace faultline {

struct SeenDevice {
  int ifindex = 0;
  std::string text;     // changes when it is renamed, goes down, or has been down since
  bool detour = false;  // one of ours
};

struct SeenAddress {
  int ifindex = 0;
  unsigned char family = 0;
  std::string text;           // "10.0.0.2"
  std::uint32_t created = 0;  // hundredths of a second since the kernel's start; stays when it is renewed
};

struct SeenRoute {
  std::string text;
  std::vector<int> ifindexes;  // of the devices that it leads by
  unsigned char family = 0;    // none: a rule
  std::string source = {};     // the address that it prefers
  bool to_detour = false;      // by one of ours
};

struct RouteState {
  std::vector<SeenDevice> devices;
  std::vector<SeenAddress> addresses;
  std::vector<SeenRoute> routes;  // and rules
};

// Of the namespace of `socket`. Cost: about that of listing all routes, whoever has made them.
StatusOr<RouteState> list_route_state(NetlinkSocket& socket);

}  // namespace faultline
