#include "agent/kernel/addresses.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include <algorithm>
#include <tuple>

#include "agent/kernel/netlink.h"

namespace faultline {
namespace {

bool is_known_elsewhere(const IpNetwork& address) {
  static const std::vector<IpNetwork> own = [] {
    std::vector<IpNetwork> networks;
    for (const char* text : {"127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10"}) {
      networks.push_back(parse_ip_network(text).value());
    }
    return networks;
  }();
  return std::none_of(own.begin(), own.end(),
                      [&](const IpNetwork& network) { return network.contains(address); });
}

}  // namespace

StatusOr<std::vector<IpNetwork>> addresses_in(const Netns& netns) {
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
  NlMsg msg(nlmsg_alloc_simple(RTM_GETADDR, 0));
  ifaddrmsg any{};
  if (!msg || nlmsg_append(msg.get(), &any, sizeof any, NLMSG_ALIGNTO) < 0) {
    return make_error(StatusCode::kResourceExhausted, "netlink message: out of memory");
  }
  std::vector<IpNetwork> addresses;
  const auto each = [&](nlmsghdr* header) {
    nlattr* attributes[IFA_MAX + 1] = {};
    if (header->nlmsg_type != RTM_NEWADDR) return;
    if (nlmsg_parse(header, sizeof(ifaddrmsg), attributes, IFA_MAX, nullptr) < 0) return;
    const bool v6 = static_cast<const ifaddrmsg*>(nlmsg_data(header))->ifa_family == AF_INET6;
    // On a point-to-point device IFA_ADDRESS is the other end's.
    const nlattr* own = attributes[IFA_LOCAL] ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
    if (!own || nla_len(own) != (v6 ? 16 : 4)) return;
    const IpNetwork address = make_ip_network(nla_data(own), v6, v6 ? 128 : 32);
    if (is_known_elsewhere(address)) addresses.push_back(address);
  };
  FL_RETURN_IF_ERROR(annotate(socket.dump(std::move(msg), each), "list addresses"));
  std::sort(addresses.begin(), addresses.end(),
            [](const auto& a, const auto& b) { return std::tie(a.v6, a.addr) < std::tie(b.v6, b.addr); });
  return addresses;
}

}  // namespace faultline
