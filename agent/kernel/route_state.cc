#include "agent/kernel/route_state.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <netlink/attr.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_map>

#include "agent/kernel/detour.h"
#include "agent/kernel/tc_message.h"

namespace faultline {
namespace {

struct Name {
  std::string text;
  bool detour = false;
};
using Names = std::unordered_map<int, Name>;

// Of every family, so that a kernel without IPv6 need not be told apart.
template <typename Header>
StatusOr<NlMsg> list_message(int type) {
  NlMsg msg(nlmsg_alloc_simple(type, 0));
  Header any{};
  if (!msg || nlmsg_append(msg.get(), &any, sizeof any, NLMSG_ALIGNTO) < 0) {
    return make_error(StatusCode::kResourceExhausted, "netlink message: out of memory");
  }
  return msg;
}

template <typename Header>
Status list(NetlinkSocket& socket, int type, const char* what, const std::function<void(nlmsghdr*)>& each) {
  FL_ASSIGN_OR_RETURN(NlMsg msg, list_message<Header>(type));
  return annotate(socket.dump(std::move(msg), each), what);
}

Status list_devices(NetlinkSocket& socket, RouteState& state, Names& names) {
  const auto take = [&](nlmsghdr* header) {
    const auto* link = static_cast<const ifinfomsg*>(nlmsg_data(header));
    const nlattr* name = nlmsg_find_attr(header, sizeof *link, IFLA_IFNAME);
    const nlattr* group = nlmsg_find_attr(header, sizeof *link, IFLA_GROUP);
    const nlattr* changes = nlmsg_find_attr(header, sizeof *link, IFLA_CARRIER_CHANGES);
    if (header->nlmsg_type != RTM_NEWLINK || !name) return;
    const std::string text = nla_get_string(name);
    const bool detour = group && nla_get_u32(group) == kDetourGroup && text.starts_with("fa17");
    names.insert_or_assign(link->ifi_index, Name{.text = text, .detour = detour});
    state.devices.push_back(
        {.ifindex = link->ifi_index,
         .text = fmt::format("{} {} {} {}", link->ifi_index, text, link->ifi_flags & IFF_UP ? "up" : "down",
                             changes ? nla_get_u32(changes) : 0),
         .detour = detour});
  };
  return list<ifinfomsg>(socket, RTM_GETLINK, "list interfaces", take);
}

std::string address_in(const nlattr* attribute, unsigned char family) {
  char written[INET6_ADDRSTRLEN];
  const int size = family == AF_INET ? 4 : 16;
  const bool whole = attribute && nla_len(attribute) == size;
  return whole && ::inet_ntop(family, nla_data(attribute), written, sizeof written) ? written : "";
}

Status list_addresses(NetlinkSocket& socket, RouteState& state) {
  const auto take = [&](nlmsghdr* header) {
    const auto* about = static_cast<const ifaddrmsg*>(nlmsg_data(header));
    if (header->nlmsg_type != RTM_NEWADDR || (about->ifa_family != AF_INET && about->ifa_family != AF_INET6))
      return;
    // The local one, where the other end has one as well.
    const nlattr* local = nlmsg_find_attr(header, sizeof *about, IFA_LOCAL);
    if (!local) local = nlmsg_find_attr(header, sizeof *about, IFA_ADDRESS);
    const nlattr* cache = nlmsg_find_attr(header, sizeof *about, IFA_CACHEINFO);
    ifa_cacheinfo times{};
    if (cache && nla_len(cache) >= static_cast<int>(sizeof times))
      std::memcpy(&times, nla_data(cache), sizeof times);
    state.addresses.push_back({.ifindex = static_cast<int>(about->ifa_index),
                               .family = about->ifa_family,
                               .text = address_in(local, about->ifa_family),
                               .created = times.cstamp});
  };
  return list<ifaddrmsg>(socket, RTM_GETADDR, "list addresses", take);
}

StatusOr<RouteState> list_once(NetlinkSocket& socket) {
  RouteState state;
  Names names;
  FL_RETURN_IF_ERROR(list_devices(socket, state, names));
  FL_RETURN_IF_ERROR(list_addresses(socket, state));
  const auto is_detour = [&](int ifindex) {
    const auto found = names.find(ifindex);
    return found != names.end() && found->second.detour;
  };
  const bool detours = std::any_of(names.begin(), names.end(), [](const auto& n) { return n.second.detour; });
  std::string number;
  const NameOfDevice name_of = [&](int ifindex) -> std::string_view {
    if (const auto found = names.find(ifindex); found != names.end()) return found->second.text;
    return number = std::to_string(ifindex);
  };
  const auto take_route = [&](nlmsghdr* header) {
    const auto* route = static_cast<const rtmsg*>(nlmsg_data(header));
    const bool by_hand = set_by_hand(route->rtm_protocol);
    if (!by_hand && !detours) return;
    for (RouteText& text : describe_route(*header, name_of)) {
      const bool to_detour = std::any_of(text.ifindexes.begin(), text.ifindexes.end(), is_detour);
      if (!by_hand && !to_detour) continue;
      state.routes.push_back({.text = std::move(text.text),
                              .ifindexes = std::move(text.ifindexes),
                              .family = text.family,
                              .source = std::move(text.source),
                              .to_detour = to_detour});
    }
  };
  FL_RETURN_IF_ERROR(list<rtmsg>(socket, RTM_GETROUTE, "list routes", take_route));
  const auto take_rule = [&](nlmsghdr* header) {
    auto text = describe_rule(*header);
    if (text && set_by_hand(text->protocol))
      state.routes.push_back({.text = std::move(text->text), .ifindexes = {}});
  };
  FL_RETURN_IF_ERROR(list<rtmsg>(socket, RTM_GETRULE, "list policy rules", take_rule));
  return state;
}

}  // namespace

StatusOr<RouteState> list_route_state(NetlinkSocket& socket) {
  // Unavailable: something came or went meanwhile, so that some may be missing.
  constexpr int kTries = 10;
  auto state = list_once(socket);
  for (int i = 1; i < kTries && state.status().code() == StatusCode::kUnavailable; ++i)
    state = list_once(socket);
  return state;
}

}  // namespace faultline
