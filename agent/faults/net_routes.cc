#include "agent/faults/net_routes.h"

#include <sys/socket.h>
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

// What the routes of one namespace stand on.
class Grounds {
 public:
  Grounds(const Netns& netns, const RouteState& state) : prefix_(fmt::format("netns {} ", netns.inode)) {
    std::unordered_map<int, std::uint32_t> first_ipv4;  // when the oldest that a device still has was made
    for (const SeenAddress& address : state.addresses) {
      if (!address.text.empty())
        sources_.emplace(address.text,
                         fmt::format("{}address {} since {}", prefix_, address.text, address.created));
      if (address.family != AF_INET) continue;
      const auto at = first_ipv4.emplace(address.ifindex, address.created).first;
      at->second = std::min(at->second, address.created);
    }
    for (const SeenDevice& device : state.devices) {
      if (device.detour) continue;
      const auto since = first_ipv4.find(device.ifindex);
      devices_.emplace(device.ifindex, fmt::format("{}interface {}", prefix_, device.text));
      ipv4_.emplace(device.ifindex,
                    fmt::format("{}IPv4 of interface {} since {}", prefix_, device.ifindex,
                                since == first_ipv4.end() ? "never" : std::to_string(since->second)));
    }
  }

  void add_to(std::vector<StateItem>& items) const {
    const auto add = [&](const auto& grounds) {
      for (const auto& [key, text] : grounds) items.push_back({.text = text, .ground = true});
    };
    add(devices_);
    add(ipv4_);
    add(sources_);
  }

  std::vector<std::string> of(const SeenRoute& route) const {
    std::vector<std::string> texts;
    for (const int ifindex : route.ifindexes) {
      // One that has come between the two lists is not among them: it is on no ground that was there before.
      const auto device = devices_.find(ifindex);
      texts.push_back(device == devices_.end() ? fmt::format("{}interface {}", prefix_, ifindex)
                                               : device->second);
      const auto ipv4 = ipv4_.find(ifindex);
      if (route.family == AF_INET && ipv4 != ipv4_.end()) texts.push_back(ipv4->second);
    }
    // A source that is no device's own address, like any of 127.0.0.0/8, does not go.
    if (const auto source = sources_.find(route.source); source != sources_.end())
      texts.push_back(source->second);
    return texts;
  }

 private:
  std::string prefix_;
  std::unordered_map<int, std::string> devices_, ipv4_;   // by interface index
  std::unordered_map<std::string, std::string> sources_;  // by address
};

}  // namespace

StatusOr<std::vector<StateItem>> route_items(const Netns& netns) {
  std::vector<StateItem> items;
  if (is_hosts_or_own(netns.inode)) return items;
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
  FL_ASSIGN_OR_RETURN(RouteState state, list_route_state(socket));
  const Grounds grounds(netns, state);
  grounds.add_to(items);
  const std::string prefix = fmt::format("netns {}: ", netns.inode);
  items.reserve(items.size() + state.routes.size());
  for (const SeenRoute& route : state.routes) {
    items.push_back({.text = prefix + route.text, .ours = route.to_detour, .stands_on = grounds.of(route)});
  }
  return items;
}

}  // namespace faultline
