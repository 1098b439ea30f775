#include "agent/kernel/net_rules.h"

#include <gtest/gtest.h>

#include <cmath>

namespace faultline {
namespace {

PacketMatch match(std::vector<const char*> peers, std::vector<PortSpan> ports = {},
                  fl_net_protocol protocol = FL_NET_PROTO_ANY) {
  PacketMatch m;
  m.ports = std::move(ports);
  m.protocol = protocol;
  for (const char* peer : peers) m.peers.push_back(parse_ip_network(peer).value());
  return m;
}

TEST(NetRules, AnEmptyMatchIsOneRuleForEverything) {
  const auto rules = rules_of({}, 3);
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].family, FL_NET_ANY);
  EXPECT_EQ(rules[0].protocol, FL_NET_PROTO_ANY);
  EXPECT_EQ(rules[0].by_port, 0);
  EXPECT_EQ(rules[0].fault, 3);
}

TEST(NetRules, APeerKeepsItsAddressMaskAndFamily) {
  const PacketMatch both = match({"10.0.0.0/8", "fd00::/64"}, {}, FL_NET_PROTO_ICMP);
  const auto rules = rules_of(both, 0);
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].family, FL_NET_IPV4);
  EXPECT_EQ(rules[1].family, FL_NET_IPV6);
  for (std::size_t peer = 0; peer < 2; ++peer) {
    EXPECT_EQ(rules[peer].protocol, FL_NET_PROTO_ICMP);
    for (std::size_t word = 0; word < 4; ++word) {
      EXPECT_EQ(rules[peer].addr[word], both.peers[peer].addr[word]);
      EXPECT_EQ(rules[peer].mask[word], both.peers[peer].mask[word]);
    }
  }
}

TEST(NetRules, EveryPeerMeetsEveryPortSpan) {
  const auto rules =
      rules_of(match({"10.0.0.1", "10.0.0.2"}, {{80, 80}, {8000, 8999}, {1, 65535}}, FL_NET_PROTO_TCP), 7);
  ASSERT_EQ(rules.size(), 6u);
  for (const fl_net_rule& rule : rules) {
    EXPECT_EQ(rule.by_port, 1);
    EXPECT_EQ(rule.protocol, FL_NET_PROTO_TCP);
    EXPECT_EQ(rule.fault, 7);
  }
  EXPECT_EQ(rules[1].addr[0], rules[0].addr[0]);
  EXPECT_NE(rules[3].addr[0], rules[0].addr[0]);
  EXPECT_EQ(rules[4].port_first, 8000);
  EXPECT_EQ(rules[4].port_last, 8999);
  EXPECT_EQ(rules[5].port_last, 65535);
}

TEST(NetRules, PortsWithoutPeersHoldForAnyAddress) {
  const auto rules = rules_of(match({}, {{53, 53}}, FL_NET_PROTO_UDP), 0);
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].family, FL_NET_ANY);
  EXPECT_EQ(rules[0].port_first, 53);
  EXPECT_EQ(rules[0].by_port, 1);
}

TEST(NetRules, AProbabilityOfOneIsAboveEveryDraw) {
  EXPECT_EQ(dice_threshold(1.0), std::uint64_t{1} << 32);
  EXPECT_EQ(dice_threshold(0.0), 0u);
  EXPECT_EQ(dice_threshold(0.5), std::uint64_t{1} << 31);
  EXPECT_EQ(dice_threshold(0.1), 429496730u);
}

TEST(NetRules, AProbabilityBeyondItsRangeIsItsNearestEnd) {
  EXPECT_EQ(dice_threshold(7.0), std::uint64_t{1} << 32);
  EXPECT_EQ(dice_threshold(-1.0), 0u);
  EXPECT_EQ(dice_threshold(HUGE_VAL), std::uint64_t{1} << 32);
}

}  // namespace
}  // namespace faultline
