// Which devices packets to given peers leave by, according to the routing tables of one network namespace.
#pragma once

#include <string>
#include <vector>

#include "agent/kernel/ip_network.h"
#include "agent/kernel/netlink.h"
#include "common/status.h"

namespace faultline {

struct Device {
  int ifindex = 0;
  std::string name;
  friend bool operator==(const Device&, const Device&) = default;
};

// FailedPrecondition: no route to one of the peers, or no route at all.
StatusOr<std::vector<Device>> devices_towards(NetlinkSocket& socket, const std::vector<IpNetwork>& peers);

}  // namespace faultline
