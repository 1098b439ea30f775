#include "agent/faults/exemptions.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace faultline {
namespace {

TEST(Exemptions, UsualOnesAreNoneOfAClusterOutsideOfOne) {
  ::unsetenv("KUBERNETES_SERVICE_HOST");
  const auto usual = make_exemptions(usual_exemptions(), "unix:/run/x.sock");
  ASSERT_TRUE(usual.ok()) << usual.status();
  std::vector<std::string> names;
  for (const Exemption& e : *usual) names.push_back(e.name);
  EXPECT_EQ(names, (std::vector<std::string>{"dns", "metadata", "kubelet"}));
}

TEST(Exemptions, TheApiServerIsWhereTheEnvironmentSays) {
  ::setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
  ::setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
  const auto one = make_exemptions({"api-server"}, "");
  ::unsetenv("KUBERNETES_SERVICE_HOST");
  ::unsetenv("KUBERNETES_SERVICE_PORT");
  ASSERT_TRUE(one.ok()) << one.status();
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(to_string(one->front().match.peers.at(0)), "fd00::1/128");
  EXPECT_EQ(one->front().match.ports.at(0).first, 6443);
}

TEST(Exemptions, TakeAddressesNetworksAndPorts) {
  const auto some = make_exemptions({"10.0.0.0/8", "10.1.2.3:443", "fd00::/64", "[fd00::7]:80"}, "");
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_TRUE(some->at(0).match.ports.empty());
  EXPECT_EQ(some->at(1).match.ports.at(0).first, 443);
  EXPECT_TRUE(some->at(2).match.ports.empty());
  EXPECT_EQ(to_string(some->at(3).match.peers.at(0)), "fd00::7/128");
}

TEST(Exemptions, TheControlChannelIsAlwaysOneOfThem) {
  const auto only = make_exemptions({"none"}, "10.0.0.5:7443");
  ASSERT_TRUE(only.ok()) << only.status();
  ASSERT_EQ(only->size(), 1u);
  EXPECT_EQ(to_string(only->front().match.peers.at(0)), "10.0.0.5/32");
  EXPECT_EQ(only->front().match.protocol, FL_NET_PROTO_TCP);
  // Of every address of the node, its port is what tells it.
  EXPECT_TRUE(make_exemptions({"none"}, "0.0.0.0:7443")->front().match.peers.empty());
  EXPECT_TRUE(make_exemptions({"none"}, "[::]:7443")->front().match.peers.empty());
  const auto named = make_exemptions({"none"}, "node-7.example:7443");
  ASSERT_EQ(named->size(), 1u);
  EXPECT_TRUE(named->front().match.peers.empty());
  EXPECT_EQ(named->front().match.ports.at(0).first, 7443);
}

TEST(Exemptions, RefuseWhatTheyDoNotKnow) {
  for (const char* bad : {"dsn", "10.0.0.1:0", "10.0.0.1:http", "[fd00::1:80", "10.0.0.1/33", ""}) {
    EXPECT_EQ(make_exemptions({bad}, "").status().code(), StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(make_exemptions({"none", "dns"}, "").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(make_exemptions(std::vector<std::string>(9, "dns"), "").status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace faultline
