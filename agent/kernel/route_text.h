// Routes and policy rules as lines of text, made of the messages by which the kernel lists them: two that do
// the same have the same text, and what changes by itself is left out. Attributes that are not known here are
// told by number and bytes. Pure; a message that is cut short or wrong says less, never more. Source:
// linux/rtnetlink.h, linux/fib_rules.h.
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {

struct RouteText {
  std::string text;            // "route 10.1.0.0/16 via 10.0.0.1 dev eth0 table 254 proto 3"
  std::vector<int> ifindexes;  // that the route leads by
  std::uint8_t protocol = 0;   // who made it: RTPROT_*
  std::uint8_t family = 0;     // of a route
  std::string source = {};     // the address that the route prefers: "10.0.0.2"
};

using NameOfDevice = std::function<std::string_view(int ifindex)>;  // good until the next call

// Of an RTM_NEWROUTE of IPv4 or IPv6; none of anything else, of a route that goes by itself, or of one of
// which only the number of its nexthop object is told. What the kernel takes away alone has a text of its
// own: of IPv6, each of several next hops, and the preferred source.
std::vector<RouteText> describe_route(const nlmsghdr& message, const NameOfDevice& name);
// Of an RTM_NEWRULE of these.
std::optional<RouteText> describe_rule(const nlmsghdr& message);

// Whether it stays as it is until somebody changes it by hand: a container's set-up, an administrator. The
// kernel's own routes, and those that come by router advertisements, DHCP and routing daemons, come and go by
// themselves, and because of faults.
bool set_by_hand(std::uint8_t protocol);

}  // namespace faultline
