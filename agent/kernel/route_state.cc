#include "agent/kernel/route_state.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <netlink/attr.h>

#include <algorithm>
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

StatusOr<RouteState> list_once(NetlinkSocket& socket) {
  RouteState state;
  Names names;
  FL_RETURN_IF_ERROR(list_devices(socket, state, names));
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
    auto text = describe_route(*header, name_of);
    if (!text) return;
    const bool to_detour = std::any_of(text->ifindexes.begin(), text->ifindexes.end(), is_detour);
    if (by_hand || to_detour) {
      state.routes.push_back(
          {.text = std::move(text->text), .ifindexes = std::move(text->ifindexes), .to_detour = to_detour});
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
