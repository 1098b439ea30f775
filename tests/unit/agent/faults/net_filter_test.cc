#include "agent/faults/net_filter.h"

#include <gtest/gtest.h>

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

std::string refusal(const v1::NetworkFilter& message) {
  const auto match = to_packet_match(message);
  EXPECT_EQ(match.status().code(), StatusCode::kInvalidArgument) << message.ShortDebugString();
  return message_of(match.status());
}

TEST(NetFilter, AnEmptyFilterMatchesEverything) {
  const auto match = to_packet_match({});
  ASSERT_TRUE(match.ok());
  EXPECT_TRUE(match->peers.empty());
  EXPECT_TRUE(match->ports.empty());
  EXPECT_EQ(match->protocol, FL_NET_PROTO_ANY);
}

TEST(NetFilter, CarriesPeersPortsAndProtocolOver) {
  const auto match =
      to_packet_match(filter(v1::PROTOCOL_UDP, {"10.0.0.0/8", "fd00::1"}, {{53, 53}, {1, 65535}}));
  ASSERT_TRUE(match.ok()) << match.status();
  ASSERT_EQ(match->peers.size(), 2u);
  EXPECT_EQ(to_string(match->peers[0]), "10.0.0.0/8");
  EXPECT_EQ(to_string(match->peers[1]), "fd00::1/128");
  ASSERT_EQ(match->ports.size(), 2u);
  EXPECT_EQ(match->ports[1].first, 1);
  EXPECT_EQ(match->ports[1].last, 65535);
  EXPECT_EQ(match->protocol, FL_NET_PROTO_UDP);
  EXPECT_EQ(to_packet_match(filter(v1::PROTOCOL_TCP))->protocol, FL_NET_PROTO_TCP);
  EXPECT_EQ(to_packet_match(filter(v1::PROTOCOL_ICMP))->protocol, FL_NET_PROTO_ICMP);
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
  EXPECT_NE(refusal(filter(v1::PROTOCOL_ANY, {"10.0.0.1", "prometheus"})).find("\"prometheus\""),
            std::string::npos);
}

TEST(NetFilter, RefusesAProtocolOfALaterVersion) {
  EXPECT_EQ(refusal(filter(static_cast<v1::Protocol>(17))), "unknown protocol 17");
}

}  // namespace
}  // namespace faultline
