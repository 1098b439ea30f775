#include "agent/kernel/route_choice.h"

#include <gtest/gtest.h>

namespace faultline {
namespace {

constexpr int kLoopback = 1;
constexpr int kUplink = 2;
constexpr int kStorage = 3;
constexpr int kBackup = 4;

IpNetwork network(const char* text) {
  return parse_ip_network(text).value();
}

Route route(const char* to, std::vector<int> ifindexes) {
  return {.to = network(to), .local = false, .ifindexes = std::move(ifindexes)};
}

Route local(const char* to) {
  return {.to = network(to), .local = true, .ifindexes = {kLoopback}};
}

// The uplink has the default route, a storage network is on a second device with one host of it on a third.
std::vector<Route> node() {
  return {route("0.0.0.0/0", {kUplink}),
          route("10.0.0.0/24", {kUplink}),
          local("10.0.0.5/32"),
          route("10.1.0.0/16", {kStorage}),
          route("10.1.2.3/32", {kBackup}),
          local("10.1.0.5/32"),
          local("127.0.0.0/8"),
          route("fd00::/64", {kUplink})};
}

std::vector<int> towards(std::vector<const char*> peers) {
  std::vector<IpNetwork> networks;
  for (const char* peer : peers) networks.push_back(network(peer));
  return ifindexes_towards(node(), networks);
}

using Ifindexes = std::vector<int>;

TEST(RouteChoice, TheMostSpecificRouteThatCoversThePeerWins) {
  EXPECT_EQ(towards({"10.1.7.7"}), Ifindexes{kStorage});
  EXPECT_EQ(towards({"10.1.2.3"}), Ifindexes{kBackup});
}

TEST(RouteChoice, TheDefaultRouteTakesWhatNothingElseCovers) {
  EXPECT_EQ(towards({"203.0.113.9"}), Ifindexes{kUplink});
}

TEST(RouteChoice, MoreSpecificRoutesInsideThePeerNetworkCountToo) {
  EXPECT_EQ(towards({"10.1.0.0/16"}), (Ifindexes{kStorage, kBackup}));
  EXPECT_EQ(towards({"10.0.0.0/8"}), (Ifindexes{kUplink, kStorage, kBackup}));
  EXPECT_EQ(towards({"10.1.7.0/24"}), Ifindexes{kStorage});
}

TEST(RouteChoice, OwnAddressesLeadToLoopbackOnlyWhenMeant) {
  EXPECT_EQ(towards({"127.0.0.1"}), Ifindexes{kLoopback});
  EXPECT_EQ(towards({"10.0.0.5"}), Ifindexes{kLoopback});
  // The network holds an own address, but what leaves for that network leaves by the uplink.
  EXPECT_EQ(towards({"10.0.0.0/24"}), Ifindexes{kUplink});
}

TEST(RouteChoice, FamiliesDoNotMix) {
  EXPECT_EQ(towards({"fd00::1"}), Ifindexes{kUplink});
  EXPECT_EQ(towards({"2001:db8::1"}), Ifindexes{}) << "the IPv4 default route is no way to it";
}

TEST(RouteChoice, SeveralPeersShareTheirDevices) {
  EXPECT_EQ(towards({"10.1.7.7", "10.1.2.3", "10.1.9.9"}), (Ifindexes{kStorage, kBackup}));
}

TEST(RouteChoice, NoPeersMeansEveryRouteButLocalOnes) {
  EXPECT_EQ(towards({}), (Ifindexes{kUplink, kStorage, kBackup}));
}

TEST(RouteChoice, AllNextHopsOfARouteAreTaken) {
  const std::vector<Route> routes = {route("0.0.0.0/0", {kBackup, kUplink})};
  EXPECT_EQ(ifindexes_towards(routes, {network("203.0.113.9")}), (Ifindexes{kUplink, kBackup}));
}

TEST(RouteChoice, RoutesOfTheSameLengthAreAllTaken) {
  const std::vector<Route> routes = {route("10.0.0.0/8", {kUplink}), route("10.0.0.0/8", {kBackup})};
  EXPECT_EQ(ifindexes_towards(routes, {network("10.1.1.1")}), (Ifindexes{kUplink, kBackup}));
}

TEST(RouteChoice, WithoutRoutesThereIsNoDevice) {
  EXPECT_TRUE(ifindexes_towards({}, {network("10.0.0.1")}).empty());
  EXPECT_TRUE(ifindexes_towards({}, {}).empty());
}

}  // namespace
}  // namespace faultline
