#include "agent/kernel/route_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <string_view>

namespace faultline {
namespace {

// The attributes of a message (or of a part of one) by their numbers, and all of them in their order.
template <std::size_t N>
struct Attributes {
  std::array<const rtattr*, N> known{};
  const rtattr* first = nullptr;
  int size = 0;
  const rtattr* operator[](std::size_t type) const { return known[type]; }
};
using RouteAttributes = Attributes<RTA_MAX + 1>;

template <std::size_t N>
Attributes<N> attributes_in(const void* bytes, std::size_t size) {
  Attributes<N> found{.first = static_cast<const rtattr*>(bytes), .size = static_cast<int>(size)};
  auto left = found.size;
  for (const rtattr* at = found.first; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    const unsigned type = at->rta_type & NLA_TYPE_MASK;
    if (type < N) found.known[type] = at;
  }
  return found;
}

template <std::size_t N, typename Header>
Attributes<N> attributes_of(const nlmsghdr& message) {
  const std::size_t skip = NLMSG_ALIGN(sizeof(Header));
  const auto* start = static_cast<const char*>(NLMSG_DATA(&message));
  const std::size_t size = message.nlmsg_len - NLMSG_HDRLEN;
  return size > skip ? attributes_in<N>(start + skip, size - skip) : Attributes<N>{};
}

template <typename Header>
const Header* header_of(const nlmsghdr& message, unsigned type) {
  if (message.nlmsg_type != type || message.nlmsg_len < NLMSG_LENGTH(sizeof(Header))) return nullptr;
  return static_cast<const Header*>(NLMSG_DATA(&message));
}

std::uint32_t number_in(const rtattr* attribute, std::uint32_t otherwise = 0) {
  if (!attribute || RTA_PAYLOAD(attribute) < sizeof otherwise) return otherwise;
  std::memcpy(&otherwise, RTA_DATA(attribute), sizeof otherwise);
  return otherwise;
}

using Text = std::back_insert_iterator<std::string>;

void put_hex(const rtattr* attribute, std::string& text) {
  const auto* bytes = static_cast<const unsigned char*>(RTA_DATA(attribute));
  for (std::size_t i = 0; i < RTA_PAYLOAD(attribute); ++i) fmt::format_to(Text(text), "{:02x}", bytes[i]);
}

void put_ipv6(const void* bytes, std::string& text) {
  char written[INET6_ADDRSTRLEN];
  text += ::inet_ntop(AF_INET6, bytes, written, sizeof written);
}

void put_address(const rtattr* attribute, std::string& text) {
  const auto* bytes = static_cast<const unsigned char*>(RTA_DATA(attribute));
  switch (RTA_PAYLOAD(attribute)) {
    case 4:  // most routes are of this kind, and inet_ntop() is slow
      fmt::format_to(Text(text), "{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
      break;
    case 16:
      put_ipv6(bytes, text);
      break;
    default:
      put_hex(attribute, text);
  }
}

void put_network(const rtattr* address, int length, unsigned char family, std::string& text) {
  if (!address) {
    text += family == AF_INET ? "0.0.0.0/0" : "::/0";
    return;
  }
  put_address(address, text);
  fmt::format_to(Text(text), "/{}", length);
}

// The family of a gateway may be another than the route's; then its address comes after it.
void put_via(const rtattr* attribute, std::string& text) {
  constexpr std::size_t kFamily = sizeof(rtvia::rtvia_family);
  if (RTA_PAYLOAD(attribute) == kFamily + 16) {
    put_ipv6(static_cast<const char*>(RTA_DATA(attribute)) + kFamily, text);
  } else {
    put_hex(attribute, text);
  }
}

using Put = void (*)(const rtattr*, std::string&);
void put_if(const rtattr* attribute, std::string_view word, Put put, std::string& text) {
  if (!attribute) return;
  text += word;
  put(attribute, text);
}

std::string_view type_of(unsigned char type) {
  static constexpr std::string_view kTypes[] = {"unspec ",   "",           "local ",     "broadcast ",
                                                "anycast ",  "multicast ", "blackhole ", "unreachable ",
                                                "prohibit ", "throw ",     "nat ",       "xresolve "};
  return type < std::size(kTypes) ? kTypes[type] : std::string_view("other ");
}

// What `told` does not say is told as it is, also what is newer than the headers here.
template <std::size_t N>
void put_the_rest(const Attributes<N>& has, std::initializer_list<unsigned> told, std::string& text) {
  auto left = has.size;
  for (const rtattr* at = has.first; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    const unsigned type = at->rta_type & NLA_TYPE_MASK;
    if (std::find(told.begin(), told.end(), type) != told.end()) continue;
    fmt::format_to(Text(text), " attribute {} ", type);
    put_hex(at, text);
  }
}

struct Hop {
  RouteAttributes has;
  int ifindex = 0;
  unsigned flags = 0;
  int weight = 1;
};

std::vector<Hop> hops_in(const rtattr* several) {
  std::vector<Hop> hops;
  const auto* hop = static_cast<const rtnexthop*>(RTA_DATA(several));
  auto left = static_cast<int>(RTA_PAYLOAD(several));
  for (; left >= static_cast<int>(sizeof *hop) && RTNH_OK(hop, left);) {
    hops.push_back({.has = attributes_in<RTA_MAX + 1>(RTNH_DATA(hop), hop->rtnh_len - RTNH_LENGTH(0)),
                    .ifindex = hop->rtnh_ifindex,
                    .flags = hop->rtnh_flags,
                    .weight = hop->rtnh_hops + 1});
    left -= RTNH_ALIGN(hop->rtnh_len);
    hop = RTNH_NEXT(hop);
  }
  return hops;
}

// Of a route with one next hop, or of one of several.
void put_next_hop(const RouteAttributes& has, int ifindex, const NameOfDevice& name, RouteText& route) {
  std::string& text = route.text;
  put_if(has[RTA_GATEWAY], " via ", put_address, text);
  put_if(has[RTA_VIA], " via ", put_via, text);
  put_if(has[RTA_ENCAP_TYPE], " encap ", put_hex, text);
  put_if(has[RTA_ENCAP], " ", put_hex, text);
  if (ifindex <= 0) return;
  text += " dev ";
  text += name(ifindex);
  route.ifindexes.push_back(ifindex);
}

void put_rest_of_hop(const Hop& hop, std::string& text) {
  put_the_rest(hop.has, {RTA_GATEWAY, RTA_VIA, RTA_ENCAP, RTA_ENCAP_TYPE}, text);
}

// Of the flags, whether the gateway is on the link without an address of its network is somebody's wish; the
// others tell how the device and the hardware are.
void put_onlink(unsigned flags, std::string& text) {
  if (flags & RTNH_F_ONLINK) text += " onlink";
}

void put_next_hops(const std::vector<Hop>& hops, const NameOfDevice& name, RouteText& route) {
  for (const Hop& hop : hops) {
    route.text += " nexthop";
    put_next_hop(hop.has, hop.ifindex, name, route);
    fmt::format_to(Text(route.text), " weight {}", hop.weight);
    put_onlink(hop.flags, route.text);
    put_rest_of_hop(hop, route.text);
  }
}

// One that goes by itself, or whose way a nexthop object alone tells.
bool is_left_out(const RouteAttributes& has) {
  if (has[RTA_NH_ID] && !has[RTA_OIF] && !has[RTA_MULTIPATH]) return true;
  const rtattr* cache = has[RTA_CACHEINFO];
  if (!cache || RTA_PAYLOAD(cache) < sizeof(rta_cacheinfo)) return false;
  rta_cacheinfo info{};
  std::memcpy(&info, RTA_DATA(cache), sizeof info);
  return info.rta_expires != 0;
}

void put_destination(const rtmsg& header, const RouteAttributes& has, std::string& text) {
  text += "route ";
  text += type_of(header.rtm_type);
  put_network(has[RTA_DST], header.rtm_dst_len, header.rtm_family, text);
  if (!has[RTA_SRC]) return;
  text += " from ";
  put_network(has[RTA_SRC], header.rtm_src_len, header.rtm_family, text);
}

void put_place(const rtmsg& header, const RouteAttributes& has, std::string& text) {
  fmt::format_to(Text(text), " table {}", number_in(has[RTA_TABLE], header.rtm_table));
  if (const std::uint32_t metric = number_in(has[RTA_PRIORITY])) {
    fmt::format_to(Text(text), " metric {}", metric);
  }
  if (header.rtm_tos) fmt::format_to(Text(text), " tos {}", header.rtm_tos);
  fmt::format_to(Text(text), " scope {} proto {}", header.rtm_scope, header.rtm_protocol);
}

// The whole, or the way by `hop` alone.
RouteText one_route(const rtmsg& header, const RouteAttributes& has, const Hop* hop,
                    const NameOfDevice& name) {
  RouteText route{.text = {}, .ifindexes = {}, .protocol = header.rtm_protocol, .family = header.rtm_family};
  route.text.reserve(128);
  put_destination(header, has, route.text);
  if (hop) {
    put_next_hop(hop->has, hop->ifindex, name, route);
  } else {
    put_next_hop(has, static_cast<int>(number_in(has[RTA_OIF])), name, route);
    if (has[RTA_MULTIPATH]) put_next_hops(hops_in(has[RTA_MULTIPATH]), name, route);
  }
  if (has[RTA_PREFSRC] && header.rtm_family == AF_INET) {
    put_address(has[RTA_PREFSRC], route.source);
    route.text += " src " + route.source;
  }
  put_place(header, has, route.text);
  put_onlink(header.rtm_flags | (hop ? hop->flags : 0), route.text);
  const bool usual_preference = has[RTA_PREF] && RTA_PAYLOAD(has[RTA_PREF]) == 1 &&
                                *static_cast<const char*>(RTA_DATA(has[RTA_PREF])) == 0;
  put_the_rest(
      has,
      {RTA_DST, RTA_SRC, RTA_GATEWAY, RTA_VIA, RTA_ENCAP, RTA_ENCAP_TYPE, RTA_OIF, RTA_MULTIPATH, RTA_PREFSRC,
       RTA_TABLE, RTA_PRIORITY, RTA_CACHEINFO, RTA_EXPIRES, usual_preference ? RTA_PREF : RTA_UNSPEC},
      route.text);
  if (hop) put_rest_of_hop(*hop, route.text);
  return route;
}

// One text for each of the hops, which come and go alone, and look like routes of their own when they are the
// last; where the kernel then does not say what it still says now, a text for that alone.
std::vector<RouteText> hop_by_hop(const rtmsg& header, const RouteAttributes& has, const NameOfDevice& name) {
  std::vector<RouteText> texts;
  std::vector<int> all;
  const std::vector<Hop> hops = hops_in(has[RTA_MULTIPATH]);
  for (const Hop& hop : hops) {
    texts.push_back(one_route(header, has, &hop, name));
    all.insert(all.end(), texts.back().ifindexes.begin(), texts.back().ifindexes.end());
  }
  for (std::size_t i = 0; i < hops.size(); ++i) {
    if (hops[i].weight == 1) continue;
    RouteText weight = texts[i];
    weight.text = fmt::format("weight {} of {}", hops[i].weight, weight.text);
    weight.ifindexes = all;
    texts.push_back(std::move(weight));
  }
  return texts;
}

// The kernel takes it from a route whose address goes, and leaves the route.
void add_source(const rtmsg& header, const RouteAttributes& has, std::vector<RouteText>& texts) {
  if (texts.empty()) return;
  RouteText source{
      .text = "source ", .ifindexes = {}, .protocol = header.rtm_protocol, .family = header.rtm_family};
  put_address(has[RTA_PREFSRC], source.source);
  source.text += source.source + " of ";
  put_destination(header, has, source.text);
  put_place(header, has, source.text);
  for (const RouteText& text : texts) {
    source.ifindexes.insert(source.ifindexes.end(), text.ifindexes.begin(), text.ifindexes.end());
  }
  texts.push_back(std::move(source));
}

bool is_ip(unsigned char family) {
  return family == AF_INET || family == AF_INET6;
}

}  // namespace

std::vector<RouteText> describe_route(const nlmsghdr& message, const NameOfDevice& name) {
  const auto* header = header_of<rtmsg>(message, RTM_NEWROUTE);
  if (!header || !is_ip(header->rtm_family) || header->rtm_flags & RTM_F_CLONED) return {};
  const auto has = attributes_of<RTA_MAX + 1, rtmsg>(message);
  if (is_left_out(has)) return {};
  std::vector<RouteText> texts;
  if (header->rtm_family == AF_INET6 && has[RTA_MULTIPATH]) {
    texts = hop_by_hop(*header, has, name);
  } else {
    texts.push_back(one_route(*header, has, nullptr, name));
  }
  if (header->rtm_family == AF_INET6 && has[RTA_PREFSRC]) add_source(*header, has, texts);
  return texts;
}

std::optional<RouteText> describe_rule(const nlmsghdr& message) {
  const auto* header = header_of<fib_rule_hdr>(message, RTM_NEWRULE);
  if (!header || !is_ip(header->family)) return std::nullopt;
  const auto has = attributes_of<FRA_MAX + 1, fib_rule_hdr>(message);
  RouteText rule;
  if (const rtattr* protocol = has[FRA_PROTOCOL]; protocol && RTA_PAYLOAD(protocol) == 1) {
    rule.protocol = *static_cast<const unsigned char*>(RTA_DATA(protocol));
  }
  std::string& text = rule.text;
  fmt::format_to(Text(text), "rule {} {}from ", number_in(has[FRA_PRIORITY]),
                 header->flags & FIB_RULE_INVERT ? "not " : "");
  put_network(has[FRA_SRC], header->src_len, header->family, text);
  text += " to ";
  put_network(has[FRA_DST], header->dst_len, header->family, text);
  for (const auto& [type, word] : {std::pair(FRA_IIFNAME, "iif"), std::pair(FRA_OIFNAME, "oif")}) {
    if (!has[type]) continue;
    const auto* name = static_cast<const char*>(RTA_DATA(has[type]));
    fmt::format_to(Text(text), " {} {}", word,
                   std::string_view(name, ::strnlen(name, RTA_PAYLOAD(has[type]))));
  }
  if (header->tos) fmt::format_to(Text(text), " tos {}", header->tos);
  fmt::format_to(Text(text), " action {} table {} proto {}", header->action,
                 number_in(has[FRA_TABLE], header->table), rule.protocol);
  // The kernel writes that it suppresses no route into every rule.
  const auto none = [&](unsigned type) {
    return number_in(has[type], 0) == ~0u ? type : unsigned{FRA_UNSPEC};
  };
  put_the_rest(has,
               {FRA_PRIORITY, FRA_SRC, FRA_DST, FRA_IIFNAME, FRA_OIFNAME, FRA_TABLE, FRA_PROTOCOL, FRA_PAD,
                none(FRA_SUPPRESS_PREFIXLEN), none(FRA_SUPPRESS_IFGROUP)},
               text);
  return rule;
}

bool set_by_hand(std::uint8_t protocol) {
  switch (protocol) {
    case RTPROT_REDIRECT:
    case RTPROT_KERNEL:
    case RTPROT_GATED:
    case RTPROT_RA:
    case RTPROT_MRT:
    case RTPROT_ZEBRA:
    case RTPROT_BIRD:
    case RTPROT_DNROUTED:
    case RTPROT_XORP:
    case RTPROT_NTK:
    case RTPROT_DHCP:
    case RTPROT_MROUTED:
    case RTPROT_KEEPALIVED:
    case RTPROT_BABEL:
    case RTPROT_OPENR:
    case RTPROT_BGP:
    case RTPROT_ISIS:
    case RTPROT_OSPF:
    case RTPROT_RIP:
    case RTPROT_EIGRP:
      return false;
    default:
      return true;
  }
}

}  // namespace faultline
