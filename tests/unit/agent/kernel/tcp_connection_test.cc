#include "agent/kernel/tcp_connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <set>

namespace faultline {
namespace {

TcpConnection connection(const char* local, int local_port, const char* peer, int peer_port) {
  const int family = std::string_view(peer).find(':') == std::string_view::npos ? AF_INET : AF_INET6;
  inet_diag_msg message{};
  message.idiag_family = static_cast<__u8>(family);
  EXPECT_EQ(::inet_pton(family, local, message.id.idiag_src), 1);
  EXPECT_EQ(::inet_pton(family, peer, message.id.idiag_dst), 1);
  message.id.idiag_sport = htons(static_cast<std::uint16_t>(local_port));
  message.id.idiag_dport = htons(static_cast<std::uint16_t>(peer_port));
  return to_connection(message, 42);
}

PacketMatch to(std::vector<const char*> peers) {
  PacketMatch match;
  for (const char* peer : peers) match.peers.push_back(parse_ip_network(peer).value());
  return match;
}

const TcpConnection kV4 = connection("10.0.0.1", 50000, "10.99.0.2", 5432);
const TcpConnection kV6 = connection("fd99::1", 50000, "fd99::2", 5432);
const TcpConnection kMapped = connection("::ffff:10.0.0.1", 50000, "::ffff:10.99.0.2", 5432);

TEST(TcpConnection, ReadsAddressesAndPorts) {
  EXPECT_EQ(to_string(kV4.peer), "10.99.0.2/32");
  EXPECT_EQ(to_string(kV4.local), "10.0.0.1/32");
  EXPECT_EQ(to_string(kV6.peer), "fd99::2/128");
  EXPECT_EQ(kV4.local_port, 50000);
  EXPECT_EQ(kV4.peer_port, 5432);
  EXPECT_EQ(kV4.cgroup_id, 42u);
}

TEST(TcpConnection, MappedAddressesAreIpv4ButTheKernelKeepsItsName) {
  EXPECT_EQ(to_string(kMapped.peer), "10.99.0.2/32");
  EXPECT_EQ(kMapped.family, AF_INET6);
  EXPECT_TRUE(matches(to({"10.99.0.0/24"}), kMapped));
  EXPECT_FALSE(matches(to({"::/0"}), kMapped));
}

TEST(TcpConnection, AnEmptyMatchConcernsAll) {
  EXPECT_TRUE(matches({}, kV4));
  EXPECT_TRUE(matches({}, kV6));
}

TEST(TcpConnection, MatchesThePeerAndHeedsExceptions) {
  EXPECT_TRUE(matches(to({"10.1.0.0/16", "10.99.0.0/24"}), kV4));
  EXPECT_FALSE(matches(to({"10.0.0.1"}), kV4)) << "that is its own address";
  EXPECT_TRUE(matches(to({"fd99::/64"}), kV6));
  PacketMatch but = to({"10.99.0.0/24"});
  but.except.push_back(parse_ip_network("10.99.0.2").value());
  EXPECT_FALSE(matches(but, kV4));
  but.peers.clear();
  EXPECT_FALSE(matches(but, kV4));
  EXPECT_TRUE(matches(but, kV6));
}

TEST(TcpConnection, MatchesPortsOfEitherEnd) {
  PacketMatch match;
  match.ports = {{1, 100}, {5432, 5433}};
  EXPECT_TRUE(matches(match, kV4));
  match.ports = {{50000, 50000}};
  EXPECT_FALSE(matches(match, kV4));
  match.ports.clear();
  match.local_ports = {{50000, 50000}};
  EXPECT_TRUE(matches(match, kV4));
  match.local_ports = {{5432, 5432}};
  EXPECT_FALSE(matches(match, kV4));
}

TEST(TcpConnection, IsNothingButTcp) {
  PacketMatch match;
  match.protocol = FL_NET_PROTO_TCP;
  EXPECT_TRUE(matches(match, kV4));
  match.protocol = FL_NET_PROTO_UDP;
  EXPECT_FALSE(matches(match, kV4));
}

TEST(TcpConnection, ItsDiceAreThoseOfItsPackets) {
  fl_net_packet packet{};
  std::copy(kV4.peer.addr.begin(), kV4.peer.addr.end(), packet.peer);
  std::copy(kV4.local.addr.begin(), kV4.local.addr.end(), packet.local);
  packet.peer_port = kV4.peer_port;
  packet.local_port = kV4.local_port;
  packet.protocol = FL_NET_PROTO_TCP;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_EQ(connection_dice(kV4, seed), fl_connection_dice(seed, &packet));
  }
}

TEST(TcpConnection, ItsDiceAreItsOwnAndLastAndAreFair) {
  EXPECT_EQ(connection_dice(kV4, 1), connection_dice(connection("10.0.0.1", 50000, "10.99.0.2", 5432), 1));
  EXPECT_EQ(connection_dice(kV4, 1), connection_dice(kMapped, 1));
  EXPECT_NE(connection_dice(kV4, 1), connection_dice(kV4, 2));
  std::set<std::uint32_t> seen;
  int below_a_fifth = 0;
  for (int port = 1; port <= 10000; ++port) {
    const std::uint32_t dice = connection_dice(connection("10.0.0.1", port, "10.99.0.2", 5432), 9);
    seen.insert(dice);
    below_a_fifth += dice < dice_threshold(0.2);
  }
  EXPECT_GT(seen.size(), 9990u);
  EXPECT_NEAR(below_a_fifth, 2000, 160);  // four standard deviations
}

}  // namespace
}  // namespace faultline
