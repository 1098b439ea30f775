#include "controller/experiment/ip_network.h"

#include <gtest/gtest.h>

#include <vector>

namespace faultline {
namespace {

std::vector<IpNetwork> networks(std::initializer_list<const char*> texts) {
  std::vector<IpNetwork> all;
  for (const char* text : texts) all.push_back(parse_ip_network(text).value());
  return all;
}

IpNetwork net(const char* text) {
  return parse_ip_network(text).value();
}

TEST(IpNetwork, WritesBackWhatItRead) {
  for (const char* text : {"10.0.0.0/24", "0.0.0.0/0", "10.0.0.7/32", "fd00::/64", "::/0"}) {
    EXPECT_EQ(to_text(net(text)), text);
  }
  EXPECT_EQ(to_text(net("10.0.0.7")), "10.0.0.7/32");
  EXPECT_TRUE(net("10.0.0.7").is_address());
  EXPECT_FALSE(net("10.0.0.0/31").is_address());
  EXPECT_EQ(net("0.0.0.0/0"), kAllIpv4);
  EXPECT_EQ(net("::/0"), kAllIpv6);
}

TEST(IpNetwork, ContainsItsPartsAndNothingElse) {
  EXPECT_TRUE(contains(net("10.0.0.0/8"), net("10.1.2.3")));
  EXPECT_TRUE(contains(net("10.0.0.0/8"), net("10.0.0.0/8")));
  EXPECT_TRUE(contains(kAllIpv4, net("255.0.0.0/8")));
  EXPECT_TRUE(contains(net("fd00::/64"), net("fd00::ff")));
  EXPECT_FALSE(contains(net("10.0.0.0/8"), net("11.0.0.0/8")));
  EXPECT_FALSE(contains(net("10.0.0.0/9"), net("10.0.0.0/8")));
  EXPECT_FALSE(contains(net("10.0.0.0/31"), net("10.0.0.2")));
  EXPECT_FALSE(contains(kAllIpv4, net("::/0")));
  EXPECT_FALSE(contains(kAllIpv6, net("10.0.0.1")));
}

TEST(IpNetwork, SeveralPartsMayCoverItTogether) {
  EXPECT_TRUE(covered(net("10.0.0.0/24"), networks({"10.0.0.0/25", "10.0.0.128/25"})));
  EXPECT_TRUE(covered(net("10.0.0.0/30"), networks({"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"})));
  EXPECT_TRUE(covered(kAllIpv6, networks({"::/1", "8000::/2", "c000::/2"})));
  EXPECT_TRUE(covered(net("10.0.0.7"), networks({"10.0.0.0/8"})));
  EXPECT_FALSE(covered(net("10.0.0.0/24"), networks({"10.0.0.0/25", "10.0.0.192/26"})));
  EXPECT_FALSE(covered(net("10.0.0.0/30"), networks({"10.0.0.0", "10.0.0.1", "10.0.0.3"})));
  EXPECT_FALSE(covered(kAllIpv4, networks({"::/0"})));
  EXPECT_FALSE(covered(net("10.0.0.7"), {}));
}

}  // namespace
}  // namespace faultline
