#include "agent/kernel/route.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>

#include <memory>

#include "agent/kernel/detour.h"
#include "agent/kernel/route_choice.h"

namespace faultline {
namespace {

struct CacheFree {
  void operator()(nl_cache* cache) const { nl_cache_free(cache); }
};
using Cache = std::unique_ptr<nl_cache, CacheFree>;

constexpr int kLoopbackIfindex = 1;  // in every network namespace

Status list_routes(NetlinkSocket& socket, int family, std::vector<Route>& routes) {
  nl_cache* raw = nullptr;
  if (int e = rtnl_route_alloc_cache(socket.raw(), family, 0, &raw); e < 0) {
    return make_error(StatusCode::kInternal, "list routes: {}", nl_geterror(e));
  }
  const Cache cache(raw);
  for (nl_object* o = nl_cache_get_first(cache.get()); o; o = nl_cache_get_next(o)) {
    auto* route = reinterpret_cast<rtnl_route*>(o);
    const std::uint8_t type = rtnl_route_get_type(route);
    if (type != RTN_UNICAST && type != RTN_LOCAL) continue;
    const nl_addr* to = rtnl_route_get_dst(route);
    const char zeros[16] = {};
    const bool has_bytes = to && nl_addr_get_len(to) > 0;
    Route parsed{.to = make_ip_network(has_bytes ? nl_addr_get_binary_addr(to) : zeros, family == AF_INET6,
                                       to ? static_cast<int>(nl_addr_get_prefixlen(to)) : 0),
                 .local = type == RTN_LOCAL,
                 .ifindexes = {}};
    // A local route names the device that has the address, but the kernel sends to itself by loopback.
    if (parsed.local) parsed.ifindexes.push_back(kLoopbackIfindex);
    for (int i = 0; !parsed.local && i < rtnl_route_get_nnexthops(route); ++i) {
      parsed.ifindexes.push_back(rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(route, i)));
    }
    routes.push_back(std::move(parsed));
  }
  return ok_status();
}

StatusOr<Cache> list_links(NetlinkSocket& socket) {
  nl_cache* raw = nullptr;
  if (int e = rtnl_link_alloc_cache(socket.raw(), AF_UNSPEC, &raw); e < 0) {
    return make_error(StatusCode::kInternal, "list interfaces: {}", nl_geterror(e));
  }
  return Cache(raw);
}

}  // namespace

StatusOr<std::vector<Device>> devices_towards(NetlinkSocket& socket, const std::vector<IpNetwork>& peers) {
  std::vector<Route> routes;
  FL_RETURN_IF_ERROR(list_routes(socket, AF_INET, routes));
  FL_RETURN_IF_ERROR(list_routes(socket, AF_INET6, routes));
  for (const IpNetwork& peer : peers) {
    if (ifindexes_towards(routes, {peer}).empty()) {
      return make_error(StatusCode::kFailedPrecondition, "the target has no route to {}", to_string(peer));
    }
  }
  FL_ASSIGN_OR_RETURN(const Cache links, list_links(socket));
  std::vector<Device> devices;
  for (int ifindex : ifindexes_towards(routes, peers)) {
    rtnl_link* link = rtnl_link_get(links.get(), ifindex);
    if (!link) continue;
    const bool loopback = rtnl_link_get_flags(link) & IFF_LOOPBACK;
    const bool detour = rtnl_link_get_group(link) == kDetourGroup &&
                        std::string_view(rtnl_link_get_name(link)).starts_with("fa17");
    // Without peers the namespace's talk with itself is left alone, and what leads around its devices always
    // is.
    if (!detour && (!loopback || !peers.empty())) devices.push_back({ifindex, rtnl_link_get_name(link)});
    rtnl_link_put(link);
  }
  if (devices.empty()) {
    return make_error(StatusCode::kFailedPrecondition, "the target has no network interface with a route");
  }
  return devices;
}

}  // namespace faultline
