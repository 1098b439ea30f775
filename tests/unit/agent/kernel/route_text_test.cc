#include "agent/kernel/route_text.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fib_rules.h>

#include <cstring>

namespace faultline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string bytes_of(const char* address) {
  char bytes[16];
  const bool v6 = std::string_view(address).find(':') != std::string_view::npos;
  EXPECT_EQ(::inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes), 1);
  return {bytes, v6 ? 16u : 4u};
}
template <typename T>
std::string bytes_of_value(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string attribute(unsigned short type, const std::string& value) {
  const rtattr header{.rta_len = static_cast<unsigned short>(RTA_LENGTH(value.size())), .rta_type = type};
  std::string text = bytes_of_value(header) + value;
  text.resize(RTA_ALIGN(text.size()));
  return text;
}
std::string attribute(unsigned short type, std::uint32_t value) {
  return attribute(type, bytes_of_value(value));
}

// A message as the kernel sends it.
template <typename Header>
std::vector<std::uint32_t> message(unsigned short type, const Header& header, const std::string& attributes) {
  nlmsghdr head{};
  std::string bytes = bytes_of_value(header);
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  bytes += attributes;
  head.nlmsg_type = type;
  head.nlmsg_len = static_cast<unsigned>(NLMSG_HDRLEN + bytes.size());
  bytes = bytes_of_value(head) + bytes;
  std::vector<std::uint32_t> aligned((bytes.size() + 3) / 4);
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  return aligned;
}
const nlmsghdr& header_of(const std::vector<std::uint32_t>& bytes) {
  return *reinterpret_cast<const nlmsghdr*>(bytes.data());
}

std::string_view name_of(int ifindex) {
  static std::string name;
  return name = "eth" + std::to_string(ifindex);
}

rtmsg unicast(unsigned char family, unsigned char length = 0) {
  rtmsg header{};
  header.rtm_family = family;
  header.rtm_dst_len = length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_type = RTN_UNICAST;
  return header;
}
std::vector<RouteText> routes(const rtmsg& header, const std::string& attributes) {
  return describe_route(header_of(message(RTM_NEWROUTE, header, attributes)), name_of);
}
// Where there is to be one text or none.
std::optional<RouteText> route(const rtmsg& header, const std::string& attributes) {
  const auto all = routes(header, attributes);
  EXPECT_LE(all.size(), 1u);
  return all.empty() ? std::nullopt : std::optional(all[0]);
}
std::string hop(int ifindex, const std::string& inside, unsigned char more_weight = 0,
                unsigned char flags = 0) {
  rtnexthop header{};
  header.rtnh_len = static_cast<unsigned short>(sizeof header + inside.size());
  header.rtnh_ifindex = ifindex;
  header.rtnh_hops = more_weight;
  header.rtnh_flags = flags;
  return bytes_of_value(header) + inside;
}
std::string gateway(const char* address) {
  return attribute(RTA_GATEWAY, bytes_of(address));
}

TEST(RouteText, SaysWhereTheRouteLeadsByWhichDeviceAndWhoMadeIt) {
  const auto v4 = route(unicast(AF_INET, 16), attribute(RTA_DST, bytes_of("10.1.0.0")) +
                                                  attribute(RTA_GATEWAY, bytes_of("10.0.0.1")) +
                                                  attribute(RTA_OIF, 2) + attribute(RTA_PRIORITY, 100));
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->text, "route 10.1.0.0/16 via 10.0.0.1 dev eth2 table 254 metric 100 scope 0 proto 3");
  EXPECT_THAT(v4->ifindexes, ElementsAre(2));
  EXPECT_EQ(v4->protocol, RTPROT_BOOT);
  const auto v6 =
      route(unicast(AF_INET6), attribute(RTA_GATEWAY, bytes_of("fd99::2")) + attribute(RTA_OIF, 3) +
                                   attribute(RTA_TABLE, 1000) + attribute(RTA_PREF, std::string(1, '\0')));
  EXPECT_EQ(v6->text, "route ::/0 via fd99::2 dev eth3 table 1000 scope 0 proto 3");
}

TEST(RouteText, NamesEveryNextHop) {
  const auto both = route(
      unicast(AF_INET),
      attribute(RTA_MULTIPATH, hop(2, gateway("10.0.0.1")) + hop(3, gateway("10.0.1.1"), 1, RTNH_F_ONLINK)));
  ASSERT_TRUE(both);
  EXPECT_EQ(
      both->text,
      "route 0.0.0.0/0 nexthop via 10.0.0.1 dev eth2 weight 1 nexthop via 10.0.1.1 dev eth3 weight 2 onlink "
      "table 254 scope 0 proto 3");
  EXPECT_THAT(both->ifindexes, ElementsAre(2, 3));
}

// Of IPv6 the kernel takes away the way by a device that goes, and leaves the others.
TEST(RouteText, OfIpv6EveryNextHopIsTheRouteThatItIsAlone) {
  const std::string to = attribute(RTA_DST, bytes_of("fd77::"));
  const std::string one = gateway("fd01::1"), other = gateway("fd02::1");
  rtmsg onlink = unicast(AF_INET6, 64);
  onlink.rtm_flags = RTNH_F_ONLINK;
  const auto first = route(unicast(AF_INET6, 64), to + one + attribute(RTA_OIF, 2));
  const auto second = route(onlink, to + other + attribute(RTA_OIF, 3));
  const auto both = routes(unicast(AF_INET6, 64),
                           to + attribute(RTA_MULTIPATH, hop(2, one) + hop(3, other, 0, RTNH_F_ONLINK)));
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].text, first->text);
  EXPECT_EQ(both[1].text, second->text);
  EXPECT_THAT(both[0].ifindexes, ElementsAre(2));
  EXPECT_THAT(both[1].ifindexes, ElementsAre(3));
}

TEST(RouteText, AWeightGoesWithAnyOfItsNextHops) {
  const auto both = routes(unicast(AF_INET6), attribute(RTA_MULTIPATH, hop(2, gateway("fd01::1")) +
                                                                           hop(3, gateway("fd02::1"), 2)));
  ASSERT_EQ(both.size(), 3u);
  EXPECT_EQ(both[2].text, "weight 3 of " + both[1].text);
  EXPECT_THAT(both[2].ifindexes, ElementsAre(2, 3));
}

TEST(RouteText, APreferredSourceIsPartOfTheRouteOrOfIpv6OnesOwn) {
  const auto v4 =
      route(unicast(AF_INET), attribute(RTA_OIF, 2) + attribute(RTA_PREFSRC, bytes_of("10.0.0.2")));
  EXPECT_EQ(v4->text, "route 0.0.0.0/0 dev eth2 src 10.0.0.2 table 254 scope 0 proto 3");
  EXPECT_EQ(v4->source, "10.0.0.2");
  const auto v6 =
      routes(unicast(AF_INET6), attribute(RTA_OIF, 2) + attribute(RTA_PREFSRC, bytes_of("fd00::2")));
  ASSERT_EQ(v6.size(), 2u);
  EXPECT_EQ(v6[0].text, route(unicast(AF_INET6), attribute(RTA_OIF, 2))->text);
  EXPECT_EQ(v6[0].source, "");
  EXPECT_EQ(v6[1].text, "source fd00::2 of route ::/0 table 254 scope 0 proto 3");
  EXPECT_EQ(v6[1].source, "fd00::2");
  EXPECT_THAT(v6[1].ifindexes, ElementsAre(2));
}

TEST(RouteText, AGatewayOfTheOtherFamilyIsReadable) {
  const std::string via = bytes_of_value<std::uint16_t>(AF_INET6) + bytes_of("fe80::1");
  EXPECT_THAT(route(unicast(AF_INET), attribute(RTA_VIA, via))->text, HasSubstr(" via fe80::1"));
}

TEST(RouteText, WithoutADeviceItLeadsByNone) {
  rtmsg header = unicast(AF_INET, 32);
  header.rtm_type = RTN_BLACKHOLE;
  const auto none = route(header, attribute(RTA_DST, bytes_of("10.2.0.1")));
  EXPECT_EQ(none->text, "route blackhole 10.2.0.1/32 table 254 scope 0 proto 3");
  EXPECT_TRUE(none->ifindexes.empty());
}

TEST(RouteText, WhatItDoesNotKnowIsToldAllTheSame) {
  const std::string to = attribute(RTA_DST, bytes_of("10.1.0.0"));
  const std::string plain = route(unicast(AF_INET, 16), to)->text;
  EXPECT_EQ(route(unicast(AF_INET, 16), to + attribute(RTA_FLOW, 7))->text, plain + " attribute 11 07000000");
  EXPECT_EQ(route(unicast(AF_INET, 16), to + attribute(77, 7))->text, plain + " attribute 77 07000000")
      << "newer than its headers";
  EXPECT_THAT(route(unicast(AF_INET), attribute(RTA_MULTIPATH, hop(2, attribute(RTA_FLOW, 7))))->text,
              HasSubstr("dev eth2 weight 1 attribute 11 07000000"));
}

TEST(RouteText, OneWhoseWayOnlyANexthopObjectTellsIsLeftOut) {
  const std::string object = attribute(RTA_NH_ID, 7);
  EXPECT_FALSE(route(unicast(AF_INET), object));
  EXPECT_THAT(route(unicast(AF_INET), object + attribute(RTA_OIF, 2))->text, HasSubstr(" dev eth2"));
  EXPECT_TRUE(route(unicast(AF_INET), object + attribute(RTA_MULTIPATH, hop(2, gateway("10.0.0.1")))));
}

TEST(RouteText, WhatChangesByItselfIsLeftOut) {
  const std::string to = attribute(RTA_DST, bytes_of("fd00::")) + attribute(RTA_OIF, 2);
  rta_cacheinfo used{};
  used.rta_used = 17;
  rtmsg dead = unicast(AF_INET6, 64);
  dead.rtm_flags = RTNH_F_DEAD | RTNH_F_LINKDOWN | RTNH_F_OFFLOAD;
  const std::string plain = route(unicast(AF_INET6, 64), to)->text;
  EXPECT_EQ(route(unicast(AF_INET6, 64), to + attribute(RTA_CACHEINFO, bytes_of_value(used)))->text, plain);
  EXPECT_EQ(route(dead, to)->text, plain);
}

TEST(RouteText, WhatGoesByItselfIsNone) {
  rta_cacheinfo short_lived{};
  short_lived.rta_expires = 100;
  rtmsg cloned = unicast(AF_INET6, 128);
  cloned.rtm_flags = RTM_F_CLONED;
  EXPECT_FALSE(route(unicast(AF_INET6), attribute(RTA_CACHEINFO, bytes_of_value(short_lived))));
  EXPECT_FALSE(route(cloned, {}));
  EXPECT_FALSE(route(unicast(129), {})) << "multicast routing";
  EXPECT_THAT(describe_route(header_of(message(RTM_NEWRULE, unicast(AF_INET), {})), name_of), IsEmpty());
}

TEST(RouteText, MessagesThatAreCutShortSayLessAndDoNoHarm) {
  const auto whole =
      message(RTM_NEWROUTE, unicast(AF_INET, 16),
              attribute(RTA_DST, bytes_of("10.1.0.0")) + attribute(RTA_OIF, 2) +
                  attribute(RTA_MULTIPATH,
                            bytes_of_value(rtnexthop{
                                .rtnh_len = 4000, .rtnh_flags = 0, .rtnh_hops = 0, .rtnh_ifindex = 1})));
  for (unsigned size = NLMSG_HDRLEN; size <= whole.size() * 4; ++size) {
    std::vector<std::uint32_t> cut(whole.begin(), whole.begin() + (size + 3) / 4);
    reinterpret_cast<nlmsghdr*>(cut.data())->nlmsg_len = size;
    const auto texts = describe_route(header_of(cut), name_of);
    EXPECT_EQ(!texts.empty(), size >= NLMSG_LENGTH(sizeof(rtmsg))) << size;
    EXPECT_FALSE(describe_rule(header_of(cut)));
  }
}

TEST(RuleText, SaysWhatItIsAboutAndWhoMadeIt) {
  fib_rule_hdr header{};
  header.family = AF_INET;
  header.src_len = 24;
  header.table = 100;
  header.action = FR_ACT_TO_TBL;
  header.flags = FIB_RULE_INVERT | FIB_RULE_IIF_DETACHED;
  const auto rule = describe_rule(header_of(message(
      RTM_NEWRULE, header,
      attribute(FRA_PRIORITY, 50) + attribute(FRA_SRC, bytes_of("10.1.2.0")) + attribute(FRA_FWMARK, 1) +
          attribute(FRA_IIFNAME, std::string("eth0\0", 5)) + attribute(FRA_SUPPRESS_PREFIXLEN, ~0u) +
          attribute(FRA_PROTOCOL, std::string(1, RTPROT_STATIC)))));
  ASSERT_TRUE(rule);
  EXPECT_EQ(
      rule->text,
      "rule 50 not from 10.1.2.0/24 to 0.0.0.0/0 iif eth0 action 1 table 100 proto 4 attribute 10 01000000");
  EXPECT_EQ(rule->protocol, RTPROT_STATIC);
}

TEST(RouteProtocol, OfHandsAndOfPrograms) {
  for (const int hand : {RTPROT_UNSPEC, RTPROT_BOOT, RTPROT_STATIC, 77})
    EXPECT_TRUE(set_by_hand(static_cast<std::uint8_t>(hand))) << hand;
  for (const int other : {RTPROT_REDIRECT, RTPROT_KERNEL, RTPROT_RA, RTPROT_DHCP, RTPROT_BIRD, RTPROT_BGP}) {
    EXPECT_FALSE(set_by_hand(static_cast<std::uint8_t>(other))) << other;
  }
}

}  // namespace
}  // namespace faultline
