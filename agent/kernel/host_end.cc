#include "agent/kernel/host_end.h"

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>

#include <optional>

#include "agent/kernel/link.h"
#include "agent/kernel/netlink.h"
#include "agent/kernel/tc_message.h"

namespace faultline {
namespace {

std::string kind_of(const Link& link) {
  if (rtnl_link_get_flags(link.get()) & IFF_LOOPBACK) return "the loopback device";
  const char* type = rtnl_link_get_type(link.get());
  return type ? fmt::format("a {}", type) : "a physical device";
}

// By which number the namespace of `socket` knows `other`; nullopt: by none.
StatusOr<std::optional<int>> number_of(NetlinkSocket& socket, const Netns& other) {
  NlMsg msg(nlmsg_alloc_simple(RTM_GETNSID, 0));
  rtgenmsg header{.rtgen_family = AF_UNSPEC};
  if (!msg || nlmsg_append(msg.get(), &header, sizeof header, NLMSG_ALIGNTO) < 0) {
    return make_error(StatusCode::kResourceExhausted, "netlink message: out of memory");
  }
  FL_RETURN_IF_ERROR(put_value(msg, NETNSA_FD, static_cast<std::uint32_t>(other.fd.get())));
  std::optional<int> number;
  FL_RETURN_IF_ERROR(annotate(socket.get(std::move(msg),
                                         [&](nlmsghdr* answer) {
                                           const nlattr* id =
                                               nlmsg_find_attr(answer, sizeof(rtgenmsg), NETNSA_NSID);
                                           if (id && nla_get_s32(id) >= 0) number = nla_get_s32(id);
                                         }),
                              "number of a network namespace"));
  return number;
}

StatusOr<Netns> netns_by_number(NetlinkSocket& socket, int number) {
  std::optional<Netns> found;
  visit_netns([&](Netns netns) {
    const auto candidate = number_of(socket, netns);
    if (candidate.ok() && *candidate == number) found = std::move(netns);
    return !found;
  });
  if (found) return *std::move(found);
  return make_error(StatusCode::kNotFound,
                    "its other end is in a network namespace that no process lives in");
}

}  // namespace

StatusOr<HostEnd> host_end_of(const Netns& target, const Device& device) {
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(target));
  FL_ASSIGN_OR_RETURN(const Link link, link_of(socket, device.ifindex));
  if (!is_veth(link)) {
    return make_error(StatusCode::kFailedPrecondition, "{} is {}: ingress shaping needs a veth", device.name,
                      kind_of(link));
  }
  const int peer = rtnl_link_get_link(link.get());
  std::int32_t number = 0;
  const bool elsewhere = rtnl_link_get_link_netnsid(link.get(), &number) == 0;
  auto netns = elsewhere ? netns_by_number(socket, number) : duplicate(target);
  if (!netns.ok()) return annotate(netns.status(), device.name);
  FL_ASSIGN_OR_RETURN(NetlinkSocket there, NetlinkSocket::open(*netns));
  auto other = link_of(there, peer);
  if (!other.ok()) return annotate(other.status(), fmt::format("the other end of {}", device.name));
  // Interface numbers are used again: only a veth that names us as its other end is the right one.
  if (!is_veth(*other) || rtnl_link_get_link(other->get()) != device.ifindex) {
    return make_error(StatusCode::kNotFound, "the other end of {} has just gone", device.name);
  }
  std::int32_t nsid = -1;
  if (rtnl_link_get_link_netnsid(other->get(), &nsid) != 0) nsid = -1;
  return HostEnd{
      .netns = *std::move(netns), .device = {peer, rtnl_link_get_name(other->get())}, .nsid = nsid};
}

}  // namespace faultline
