#include "agent/faults/net_routes.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "agent/kernel/netlink.h"
#include "agent/kernel/route_state.h"

namespace faultline {
namespace {

// An agent in a container may see the host's namespace as that of process 1 only.
bool is_hosts_or_own(std::uint32_t netns) {
  static const std::set<std::uint32_t> known = [] {
    std::set<std::uint32_t> inodes;
    for (const pid_t pid : {::getpid(), pid_t{1}}) {
      if (const auto found = netns_of_process(pid); found.ok()) inodes.insert(found->inode);
    }
    return inodes;
  }();
  return known.contains(netns);
}

}  // namespace

StatusOr<std::vector<StateItem>> route_items(const Netns& netns) {
  std::vector<StateItem> items;
  if (is_hosts_or_own(netns.inode)) return items;
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
  FL_ASSIGN_OR_RETURN(RouteState state, list_route_state(socket));
  std::unordered_map<int, std::string> devices;
  for (const SeenDevice& device : state.devices) {
    if (device.detour) continue;
    const auto at =
        devices.emplace(device.ifindex, fmt::format("netns {} interface {}", netns.inode, device.text));
    items.push_back({.text = at.first->second, .ground = true});
  }
  const std::string prefix = fmt::format("netns {}: ", netns.inode);
  items.reserve(items.size() + state.routes.size());
  for (SeenRoute& route : state.routes) {
    StateItem item{.text = prefix + route.text, .ours = route.to_detour};
    for (const int ifindex : route.ifindexes) {
      // One that has come between the two lists is not among them: it is on no ground that was there before.
      const auto device = devices.find(ifindex);
      item.stands_on.push_back(device == devices.end()
                                   ? fmt::format("netns {} interface {}", netns.inode, ifindex)
                                   : device->second);
    }
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace faultline
