#include "agent/faults/net_filter.h"

#include <gtest/gtest.h>

#include <cmath>

namespace faultline {
namespace {

v1::NetworkFilter filter(v1::Protocol protocol, std::vector<std::string> peers = {},
                         std::vector<std::pair<unsigned, unsigned>> ports = {}) {
  v1::NetworkFilter message;
  message.set_protocol(protocol);
  for (auto& peer : peers) message.add_peers(std::move(peer));
  for (const auto& [first, last] : ports) {
    auto* range = message.add_ports();
    range->set_first(first);
    range->set_last(last);
  }
  return message;
}

StatusOr<PacketMatch> fixed(const v1::NetworkFilter& message) {
  FL_ASSIGN_OR_RETURN(TrafficFilter traffic, to_traffic_filter(message, v1::DIRECTION_EGRESS));
  return traffic.fixed;
}

std::string refusal(const v1::NetworkFilter& message) {
  const auto match = to_traffic_filter(message, v1::DIRECTION_EGRESS);
  EXPECT_EQ(match.status().code(), StatusCode::kInvalidArgument) << message.ShortDebugString();
  return message_of(match.status());
}

TEST(NetFilter, AnEmptyFilterMatchesEverything) {
  const auto match = fixed({});
  ASSERT_TRUE(match.ok());
  EXPECT_TRUE(match->peers.empty());
  EXPECT_TRUE(match->ports.empty());
  EXPECT_EQ(match->protocol, FL_NET_PROTO_ANY);
}

TEST(NetFilter, CarriesPeersPortsAndProtocolOver) {
  const auto match = fixed(filter(v1::PROTOCOL_UDP, {"10.0.0.0/8", "fd00::1"}, {{53, 53}, {1, 65535}}));
  ASSERT_TRUE(match.ok()) << match.status();
  ASSERT_EQ(match->peers.size(), 2u);
  EXPECT_EQ(to_string(match->peers[0]), "10.0.0.0/8");
  EXPECT_EQ(to_string(match->peers[1]), "fd00::1/128");
  ASSERT_EQ(match->ports.size(), 2u);
  EXPECT_EQ(match->ports[1].first, 1);
  EXPECT_EQ(match->ports[1].last, 65535);
  EXPECT_EQ(match->protocol, FL_NET_PROTO_UDP);
  EXPECT_EQ(fixed(filter(v1::PROTOCOL_TCP))->protocol, FL_NET_PROTO_TCP);
  EXPECT_EQ(fixed(filter(v1::PROTOCOL_ICMP))->protocol, FL_NET_PROTO_ICMP);
}

TEST(NetFilter, RefusesPortsThatDoNotExistOrRunBackwards) {
  for (const auto& [first, last] : std::vector<std::pair<unsigned, unsigned>>{
           {0, 80}, {0, 0}, {81, 80}, {80, 65536}, {65536, 65537}, {65616, 65616}, {1, 4294967295u}}) {
    const std::string text = refusal(filter(v1::PROTOCOL_TCP, {}, {{first, last}}));
    EXPECT_NE(text.find(fmt::format("{}-{}", first, last)), std::string::npos) << text;
  }
}

TEST(NetFilter, RefusesPortsWhereTheProtocolHasNone) {
  EXPECT_EQ(refusal(filter(v1::PROTOCOL_ANY, {}, {{80, 80}})), "ports need protocol tcp or udp");
  EXPECT_EQ(refusal(filter(v1::PROTOCOL_ICMP, {}, {{80, 80}})), "ports need protocol tcp or udp");
}

TEST(NetFilter, RefusesABadPeerBesideGoodOnes) {
  for (const char* bad : {"10.0.0", "10.0.0.1/33", "fd00::/129", "10.0.0.1/8", "x!.test", "a b", ""}) {
    EXPECT_NE(refusal(filter(v1::PROTOCOL_ANY, {"10.0.0.1", bad})).find(bad), std::string::npos) << bad;
  }
}

TEST(NetFilter, NamesAndTargetsAreLookedUpLater) {
  const auto traffic = to_traffic_filter(
      filter(v1::PROTOCOL_ANY, {"10.0.0.1", "db.example", "container:3f2b", "cgroup:/x", "pid:4242"}),
      v1::DIRECTION_EGRESS);
  ASSERT_TRUE(traffic.ok()) << traffic.status();
  EXPECT_EQ(traffic->fixed.peers.size(), 1u);
  EXPECT_EQ(traffic->peers,
            (std::vector<std::string>{"db.example", "container:3f2b", "cgroup:/x", "pid:4242"}));
  EXPECT_TRUE(traffic->may_change());
}

TEST(NetFilter, RefusesExceptionsThatLeaveNoPeer) {
  v1::NetworkFilter message = filter(v1::PROTOCOL_ANY, {"10.0.0.1", "10.1.0.0/24"});
  message.add_except("10.0.0.0/8");
  EXPECT_EQ(refusal(message), "the exceptions leave none of the peers");
  message.add_peers("10.0.0.0/7");
  EXPECT_TRUE(to_traffic_filter(message, v1::DIRECTION_EGRESS).ok());
}

TEST(NetFilter, TheUsualDirectionHoldsUnlessAnotherIsGiven) {
  v1::NetworkFilter message;
  EXPECT_TRUE(to_traffic_filter(message, v1::DIRECTION_BOTH)->ingress);
  EXPECT_FALSE(to_traffic_filter(message, v1::DIRECTION_EGRESS)->ingress);
  message.set_direction(v1::DIRECTION_INGRESS);
  EXPECT_FALSE(to_traffic_filter(message, v1::DIRECTION_BOTH)->egress);
}

TEST(NetFilter, AShareIsAboveNoneAndAtMostAll) {
  for (const double bad : {0.0, -0.1, 1.1, std::nan("")}) {
    v1::NetworkFilter message;
    message.set_share(bad);
    EXPECT_NE(refusal(message).find("share"), std::string::npos) << bad;
  }
}

TEST(NetFilter, RefusesMoreThanSixtyFourRules) {
  v1::NetworkFilter message;
  for (int i = 0; i < 65; ++i) message.add_peers(fmt::format("10.0.0.{}", i));
  EXPECT_NE(refusal(message).find("65 rules"), std::string::npos);
}

TEST(NetFilter, AnExemptionIsLiftedByNamingExactlyIt) {
  const std::vector<Exemption> exemptions = {
      {.name = "dns", .match = {.ports = {{53, 53}}}},
      {.name = "metadata", .match = {.peers = {parse_ip_network("169.254.169.254").value()}}}};
  EXPECT_EQ(lifted_by({}, exemptions), 0u);
  EXPECT_EQ(lifted_by({.ports = {{1, 1000}}}, exemptions), 0u);
  EXPECT_EQ(lifted_by({.ports = {{53, 53}}}, exemptions), 1u);
  EXPECT_EQ(lifted_by({.peers = {parse_ip_network("169.254.0.0/16").value()}}, exemptions), 0u);
  EXPECT_EQ(lifted_by({.peers = {parse_ip_network("169.254.169.254").value()}}, exemptions), 2u);
}

TEST(NetFilter, RefusesAProtocolOfALaterVersion) {
  EXPECT_EQ(refusal(filter(static_cast<v1::Protocol>(17))), "unknown protocol 17");
}

}  // namespace
}  // namespace faultline
