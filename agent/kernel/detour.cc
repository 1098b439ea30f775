#include "agent/kernel/detour.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <netlink/attr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "agent/kernel/link.h"
#include "agent/kernel/tc_message.h"
#include "common/log.h"

namespace faultline {
namespace {

constexpr std::string_view kDetourEntry = "fa17-";
constexpr std::string_view kDetourExit = "fa17r-";
constexpr std::uint32_t kAnySize = 65535;  // the largest MTU of a veth

struct End {
  std::string name;
  std::uint32_t mtu;
};

Status put_end(NlMsg& msg, const End& end) {
  FL_RETURN_IF_ERROR(put_text(msg, IFLA_IFNAME, end.name));
  FL_RETURN_IF_ERROR(put_value(msg, IFLA_MTU, end.mtu));
  FL_RETURN_IF_ERROR(put_value(msg, IFLA_NUM_TX_QUEUES, std::uint32_t{1}));
  FL_RETURN_IF_ERROR(put_value(msg, IFLA_NUM_RX_QUEUES, std::uint32_t{1}));
  return put_value(msg, IFLA_GROUP, kDetourGroup);
}

Status add_pair(NetlinkSocket& socket, const End& entry, const End& exit) {
  FL_ASSIGN_OR_RETURN(NlMsg msg, link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{}));
  FL_RETURN_IF_ERROR(put_end(msg, entry));
  const auto peer = [&]() -> Status {
    ifinfomsg header{};
    if (nlmsg_append(msg.get(), &header, sizeof header, NLMSG_ALIGNTO) < 0) {
      return make_error(StatusCode::kResourceExhausted, "netlink message: out of room");
    }
    return put_end(msg, exit);
  };
  const auto veth = [&]() -> Status {
    FL_RETURN_IF_ERROR(put_text(msg, IFLA_INFO_KIND, "veth"));
    return put_nested(msg, IFLA_INFO_DATA, [&] { return put_nested(msg, VETH_INFO_PEER, peer); });
  };
  FL_RETURN_IF_ERROR(put_nested(msg, IFLA_LINKINFO, veth));
  return annotate(socket.request(std::move(msg)), fmt::format("add the veth pair {}", entry.name));
}

// No address of its own and no packets about itself: nobody shall notice it. Where IPv6 is switched off there
// is nothing to do.
Status keep_quiet(const Netns& netns, const Device& end) {
  const std::string path = fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", end.name);
  return run_in_netns(netns, [&]() -> Status {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.valid()) return errno == ENOENT ? ok_status() : errno_status(errno, "open " + path);
    return ::write(file.get(), "1", 1) == 1 ? ok_status() : errno_status(errno, "write " + path);
  });
}

Status raise(NetlinkSocket& socket, const Device& end) {
  ifinfomsg header{};
  header.ifi_index = end.ifindex;
  header.ifi_flags = header.ifi_change = IFF_UP | IFF_NOARP;
  FL_ASSIGN_OR_RETURN(NlMsg msg, link_message(RTM_NEWLINK, 0, header));
  return annotate(socket.request(std::move(msg)), fmt::format("set {} up", end.name));
}

bool is_ours(const Link& link) {
  return is_veth(link) && rtnl_link_get_group(link.get()) == kDetourGroup;
}

}  // namespace

std::string detour_entry_name(int ifindex) {
  return fmt::format("{}{}", kDetourEntry, ifindex);
}
std::string detour_exit_name(int ifindex) {
  return fmt::format("{}{}", kDetourExit, ifindex);
}

StatusOr<std::unique_ptr<Detour>> Detour::make(NetlinkSocket& socket, const Device& device) {
  FL_ASSIGN_OR_RETURN(const Link link, link_of(socket, device.ifindex));
  // The entry has the device's MTU, which its token buckets go by; the exit lets everything pass.
  const End entry{detour_entry_name(device.ifindex), std::min(rtnl_link_get_mtu(link.get()), kAnySize)};
  if (const Status added = add_pair(socket, entry, {detour_exit_name(device.ifindex), kAnySize});
      !added.ok()) {
    if (added.code() != StatusCode::kAlreadyExists) return added;
    return make_error(StatusCode::kFailedPrecondition, "{}: {} is there already; it is left alone",
                      device.name, entry.name);
  }
  std::unique_ptr<Detour> detour(new Detour(socket, device));
  FL_RETURN_IF_ERROR(detour->prepare());
  return detour;
}

Status Detour::prepare() {
  FL_ASSIGN_OR_RETURN(const Link entry, link_named(socket_, detour_entry_name(device_.ifindex)));
  FL_ASSIGN_OR_RETURN(const Link exit, link_named(socket_, detour_exit_name(device_.ifindex)));
  entry_ = {rtnl_link_get_ifindex(entry.get()), rtnl_link_get_name(entry.get())};
  exit_ = {rtnl_link_get_ifindex(exit.get()), rtnl_link_get_name(exit.get())};
  return ok_status();
}

Status Detour::open(const Netns& netns) {
  FL_RETURN_IF_ERROR(keep_quiet(netns, exit_));
  FL_RETURN_IF_ERROR(keep_quiet(netns, entry_));
  FL_RETURN_IF_ERROR(raise(socket_, exit_));
  FL_RETURN_IF_ERROR(raise(socket_, entry_));
  FL_ASSIGN_OR_RETURN(rules_, ForwardRules::make(netns, device_, entry_, exit_));
  return ok_status();
}

Status Detour::follow_mtu() {
  FL_ASSIGN_OR_RETURN(const Link link, link_of(socket_, device_.ifindex));
  FL_ASSIGN_OR_RETURN(const Link entry, link_of(socket_, entry_.ifindex));
  const std::uint32_t mtu = std::min(rtnl_link_get_mtu(link.get()), kAnySize);
  if (rtnl_link_get_mtu(entry.get()) == mtu) return ok_status();
  ifinfomsg header{};
  header.ifi_index = entry_.ifindex;
  FL_ASSIGN_OR_RETURN(NlMsg msg, link_message(RTM_NEWLINK, 0, header));
  FL_RETURN_IF_ERROR(put_value(msg, IFLA_MTU, mtu));
  return annotate(socket_.request(std::move(msg)), fmt::format("set the MTU of {}", entry_.name));
}

Status Detour::remove() {
  if (removed_) return ok_status();
  rules_.reset();  // first: a rule that leads to a device that is gone drops what it leads there
  const Status status = remove_detour(socket_, device_.ifindex);
  if (!status.ok() && status.code() != StatusCode::kNotFound) return status;
  removed_ = true;
  return ok_status();
}

Detour::~Detour() {
  if (Status status = remove(); !status.ok()) {
    spdlog::error("event=detour_left device={} error=\"{}\"", device_.name, message_of(status));
  }
}

Status remove_detour(NetlinkSocket& socket, int ifindex) {
  const std::string name = detour_entry_name(ifindex);
  FL_ASSIGN_OR_RETURN(const Link link, link_named(socket, name));
  if (!is_ours(link)) return make_error(StatusCode::kNotFound, "{} is somebody else's", name);
  ifinfomsg header{};
  header.ifi_index = rtnl_link_get_ifindex(link.get());
  FL_ASSIGN_OR_RETURN(NlMsg msg, link_message(RTM_DELLINK, 0, header));
  return annotate(socket.request(std::move(msg)), fmt::format("remove {}", name));
}

StatusOr<std::vector<DetourPlace>> list_detours(NetlinkSocket& socket) {
  std::vector<DetourPlace> places;
  const auto take = [&](nlmsghdr* header) {
    const nlattr* name = nlmsg_find_attr(header, sizeof(ifinfomsg), IFLA_IFNAME);
    const nlattr* group = nlmsg_find_attr(header, sizeof(ifinfomsg), IFLA_GROUP);
    if (!name || !group || nla_get_u32(group) != kDetourGroup) return;
    const std::string_view text = nla_get_string(name);
    if (!text.starts_with(kDetourEntry)) return;
    DetourPlace place{.device = 0, .entry = static_cast<const ifinfomsg*>(nlmsg_data(header))->ifi_index};
    const auto read =
        std::from_chars(text.data() + kDetourEntry.size(), text.data() + text.size(), place.device);
    if (read.ec == std::errc()) places.push_back(place);
  };
  // Unavailable: interfaces came or went meanwhile, so that some may be missing.
  constexpr int kTries = 10;
  Status status;
  for (int i = 0; i < kTries; ++i) {
    FL_ASSIGN_OR_RETURN(NlMsg msg, link_message(RTM_GETLINK, 0, ifinfomsg{}));
    places.clear();
    status = socket.dump(std::move(msg), take);
    if (status.code() != StatusCode::kUnavailable) break;
  }
  FL_RETURN_IF_ERROR(status);
  return places;
}

StatusOr<DetourPlace> detour_of(NetlinkSocket& socket, int ifindex) {
  FL_ASSIGN_OR_RETURN(const Link link, link_named(socket, detour_entry_name(ifindex)));
  if (!is_ours(link)) return make_error(StatusCode::kNotFound, "interface {} has no detour", ifindex);
  return DetourPlace{.device = ifindex, .entry = rtnl_link_get_ifindex(link.get())};
}

StatusOr<bool> detour_fits(NetlinkSocket& socket, const Device& device) {
  FL_ASSIGN_OR_RETURN(const Link link, link_of(socket, device.ifindex));
  return rtnl_link_get_arptype(link.get()) == ARPHRD_ETHER &&
         !(rtnl_link_get_flags(link.get()) & IFF_LOOPBACK);
}

}  // namespace faultline
