#include "agent/kernel/net_rules.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

namespace faultline {
namespace {

fl_net_packet packet(const char* peer, fl_net_protocol protocol = FL_NET_PROTO_TCP, int peer_port = 80,
                     int local_port = 50000) {
  fl_net_packet p{};
  const IpNetwork address = parse_ip_network(peer).value();
  p.family = address.v6 ? FL_NET_IPV6 : FL_NET_IPV4;
  std::copy(address.addr.begin(), address.addr.end(), p.peer);
  p.protocol = protocol;
  p.has_port = protocol == FL_NET_PROTO_TCP || protocol == FL_NET_PROTO_UDP;
  p.peer_port = static_cast<__u16>(peer_port);
  p.local_port = static_cast<__u16>(local_port);
  return p;
}

std::vector<IpNetwork> networks(const std::vector<const char*>& texts) {
  std::vector<IpNetwork> parsed;
  for (const char* text : texts) parsed.push_back(parse_ip_network(text).value());
  return parsed;
}

// The index over these filters, and what it says of a packet.
class Index {
 public:
  explicit Index(const std::vector<PacketMatch>& matches) {
    std::vector<const PacketMatch*> pointers;
    for (const PacketMatch& match : matches) pointers.push_back(&match);
    status = build_index(pointers, *index_);
  }
  std::uint32_t operator()(const fl_net_packet& p) const {
    return fl_net_by_peer(index_.get(), &p) & fl_net_by_transport(index_.get(), &p);
  }
  Status status;

 private:
  std::unique_ptr<fl_net_index> index_ = std::make_unique<fl_net_index>();
};

TEST(NetIndex, AnEmptyMatchIsForEverything) {
  const Index index({PacketMatch{}});
  EXPECT_EQ(index(packet("10.0.0.1")), 1u);
  EXPECT_EQ(index(packet("fd00::1", FL_NET_PROTO_ICMP)), 1u);
  EXPECT_EQ(index(packet("255.255.255.255", FL_NET_PROTO_ANY)), 1u);
}

TEST(NetIndex, WithoutFiltersNothingMatches) {
  EXPECT_EQ(Index(std::vector<PacketMatch>{})(packet("10.0.0.1")), 0u);
}

TEST(NetIndex, AnAddressMatchesItselfAndNoNeighbour) {
  const Index index({{.peers = networks({"10.0.0.7"})}, {.peers = networks({"fd00::7"})}});
  EXPECT_EQ(index(packet("10.0.0.7")), 1u);
  EXPECT_EQ(index(packet("10.0.0.6")), 0u);
  EXPECT_EQ(index(packet("10.0.0.8")), 0u);
  EXPECT_EQ(index(packet("fd00::7")), 2u);
  EXPECT_EQ(index(packet("fd00::6")), 0u);
  EXPECT_EQ(index(packet("fd00::8")), 0u);
}

TEST(NetIndex, NetworksHoldFromTheirFirstToTheirLastAddress) {
  const Index index({{.peers = networks({"0.0.0.0/1"})},
                     {.peers = networks({"255.255.255.0/24"})},
                     {.peers = networks({"::/0"})},
                     {.peers = networks({"ffff:ffff:ffff:ffff::/64"})}});
  EXPECT_EQ(index(packet("0.0.0.0")), 1u);
  EXPECT_EQ(index(packet("127.255.255.255")), 1u);
  EXPECT_EQ(index(packet("128.0.0.0")), 0u);
  EXPECT_EQ(index(packet("255.255.255.0")), 2u);
  EXPECT_EQ(index(packet("255.255.255.255")), 2u);
  EXPECT_EQ(index(packet("::")), 4u);
  EXPECT_EQ(index(packet("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), 12u);
}

TEST(NetIndex, AnExceptionWinsOverThePeers) {
  const Index index({{.peers = networks({"10.0.0.0/24"}), .except = networks({"10.0.0.128/25", "10.0.0.3"})},
                     {.except = networks({"10.0.0.3"})}});
  EXPECT_EQ(index(packet("10.0.0.4")), 3u);
  EXPECT_EQ(index(packet("10.0.0.3")), 0u);
  EXPECT_EQ(index(packet("10.0.0.200")), 2u);
  EXPECT_EQ(index(packet("fd00::1")), 2u);
}

TEST(NetIndex, PortsAreThePeersAndTheTargetsOwn) {
  const Index index({{.ports = {{80, 80}, {8000, 8999}}, .protocol = FL_NET_PROTO_TCP},
                     {.local_ports = {{1, 1023}}, .protocol = FL_NET_PROTO_UDP},
                     {.ports = {{1, 65535}}, .protocol = FL_NET_PROTO_TCP}});
  EXPECT_EQ(index(packet("10.0.0.1", FL_NET_PROTO_TCP, 80)), 5u);
  EXPECT_EQ(index(packet("10.0.0.1", FL_NET_PROTO_TCP, 8999)), 5u);
  EXPECT_EQ(index(packet("10.0.0.1", FL_NET_PROTO_TCP, 9000)), 4u);
  EXPECT_EQ(index(packet("10.0.0.1", FL_NET_PROTO_UDP, 80, 53)), 2u);
  EXPECT_EQ(index(packet("10.0.0.1", FL_NET_PROTO_UDP, 80, 1024)), 0u);
  EXPECT_EQ(index(packet("10.0.0.1", FL_NET_PROTO_TCP, 65535)), 4u);
}

TEST(NetIndex, APacketWithoutPortsMatchesOnlyWhatLooksAtNone) {
  const Index index({{.ports = {{80, 80}}, .protocol = FL_NET_PROTO_TCP}, {.protocol = FL_NET_PROTO_TCP}});
  fl_net_packet fragment = packet("10.0.0.1", FL_NET_PROTO_TCP, 80);
  fragment.has_port = 0;
  EXPECT_EQ(index(fragment), 2u);
}

TEST(NetIndex, AgreesWithLookingAtEveryFilterOneByOne) {
  std::mt19937 random(7);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const auto address = [&](bool v6) {
    // Few different values, so that networks overlap, touch and repeat.
    return v6 ? fmt::format("fd00::{:x}:{:x}", below(4), below(16)) : fmt::format("10.0.{}.{}", below(3), below(8));
  };
  const auto network = [&] {
    const bool v6 = below(2);
    IpNetwork host = parse_ip_network(address(v6)).value();
    const int bits = v6 ? 128 : 32;
    return make_ip_network(host.addr.data(), v6, bits - static_cast<int>(below(12)));
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<PacketMatch> matches(1 + below(8));
    for (PacketMatch& match : matches) {
      for (std::uint32_t n = below(4); n > 0; --n) match.peers.push_back(network());
      for (std::uint32_t n = below(3); n > 0; --n) match.except.push_back(network());
      match.protocol = static_cast<fl_net_protocol>(below(4));
      if (match.protocol == FL_NET_PROTO_ICMP || match.protocol == FL_NET_PROTO_ANY) continue;
      for (std::uint32_t n = below(3); n > 0; --n) {
        const auto first = static_cast<std::uint16_t>(1 + below(20));
        match.ports.push_back({first, static_cast<std::uint16_t>(first + below(5))});
      }
      if (below(4) == 0) match.local_ports.push_back({5, static_cast<std::uint16_t>(5 + below(5))});
    }
    const Index index(matches);
    ASSERT_TRUE(index.status.ok());
    for (int i = 0; i < 200; ++i) {
      const std::string from = address(below(2));
      const fl_net_packet p = packet(from.c_str(), static_cast<fl_net_protocol>(below(4)),
                                     static_cast<int>(below(25)), static_cast<int>(below(12)));
      const IpNetwork peer = parse_ip_network(from).value();
      std::uint32_t expected = 0;
      for (std::size_t bit = 0; bit < matches.size(); ++bit) {
        const PacketMatch& m = matches[bit];
        const auto in = [&](const auto& list) {
          return std::any_of(list.begin(), list.end(), [&](auto& n) { return n.contains(peer); });
        };
        const auto port = [&](const auto& spans, int value) {
          return spans.empty() || (p.has_port && std::any_of(spans.begin(), spans.end(), [&](auto& s) {
                                     return s.first <= value && value <= s.last;
                                   }));
        };
        if ((m.peers.empty() || in(m.peers)) && !in(m.except) && port(m.ports, p.peer_port) &&
            port(m.local_ports, p.local_port) &&
            (m.protocol == FL_NET_PROTO_ANY || m.protocol == p.protocol)) {
          expected |= 1u << bit;
        }
      }
      ASSERT_EQ(index(p), expected) << "round " << round << " packet " << i << " from " << from;
    }
  }
}

TEST(NetIndex, HasRoomForSixtyFourRulesThatAreAllDifferent) {
  PacketMatch match;
  for (std::uint32_t i = 0; i < FL_NET_MAX_RULES; ++i) {
    match.peers.push_back(parse_ip_network(fmt::format("10.{}.0.0/16", 2 * i)).value());
  }
  EXPECT_EQ(rules_in(match), 64u);
  const Index index({match});
  ASSERT_TRUE(index.status.ok());
  EXPECT_EQ(index(packet("10.126.1.1")), 1u);
  EXPECT_EQ(index(packet("10.125.1.1")), 0u);
}

TEST(NetIndex, RefusesMoreFiltersThanItHasBits) {
  EXPECT_EQ(Index(std::vector<PacketMatch>(33)).status.code(), StatusCode::kResourceExhausted);
}

TEST(NetRules, EachAddressNetworkAndPortRangeIsOneRule) {
  EXPECT_EQ(rules_in({}), 1u);
  EXPECT_EQ(rules_in({.peers = networks({"10.0.0.1", "10.0.0.2"}),
                      .except = networks({"10.1.0.0/16"}),
                      .ports = {{80, 80}},
                      .local_ports = {{1, 2}}}),
            5u);
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
