#include "agent/kernel/ip_network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace faultline {
namespace {

IpNetwork network(const char* text) {
  auto parsed = parse_ip_network(text);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.status();
  return parsed.value_or(IpNetwork{});
}

std::string refusal(const std::string& text) {
  const auto parsed = parse_ip_network(text);
  EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument) << text;
  return message_of(parsed.status());
}

TEST(IpNetwork, AnAddressAloneIsItsOwnNetwork) {
  const IpNetwork v4 = network("10.0.0.7");
  EXPECT_FALSE(v4.v6);
  EXPECT_EQ(v4.prefix, 32);
  EXPECT_EQ(v4.addr[0], htonl(0x0a000007));
  EXPECT_EQ(v4.mask[0], 0xffffffffu);
  const IpNetwork v6 = network("fd00::1");
  EXPECT_TRUE(v6.v6);
  EXPECT_EQ(v6.prefix, 128);
  for (const std::uint32_t word : v6.mask) EXPECT_EQ(word, 0xffffffffu);
}

TEST(IpNetwork, MasksFollowThePrefixInNetworkOrder) {
  EXPECT_EQ(network("10.0.0.0/8").mask[0], htonl(0xff000000));
  EXPECT_EQ(network("192.168.4.0/22").mask[0], htonl(0xfffffc00));
  EXPECT_EQ(network("0.0.0.0/0").mask[0], 0u);
  const IpNetwork v6 = network("2001:db8:8000::/33");
  EXPECT_EQ(v6.mask[0], 0xffffffffu);
  EXPECT_EQ(v6.mask[1], htonl(0x80000000));
  EXPECT_EQ(v6.mask[2], 0u);
  EXPECT_EQ(v6.mask[3], 0u);
}

TEST(IpNetwork, TextComesBackAsItWas) {
  for (const char* text : {"10.0.0.7/32", "10.0.0.0/8", "0.0.0.0/0", "fd00::/64", "::/0", "::1/128"}) {
    EXPECT_EQ(to_string(network(text)), text);
  }
}

TEST(IpNetwork, RefusesBitsBeyondThePrefixAndNamesTheNetwork) {
  EXPECT_NE(refusal("10.0.0.7/8").find("the network is 10.0.0.0/8"), std::string::npos);
  EXPECT_NE(refusal("fd00::1/64").find("the network is fd00::/64"), std::string::npos);
  EXPECT_NE(refusal("1.0.0.0/0").find("the network is 0.0.0.0/0"), std::string::npos);
}

TEST(IpNetwork, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "gateway", "10.0.0", "10.0.0.256", " 10.0.0.1", "10.0.0.1 ", "fd00::g",
                           "fe80::1%eth0", "/8", "10.0.0.0:80"}) {
    EXPECT_NE(refusal(text).find("neither an IPv4 nor an IPv6"), std::string::npos) << text;
  }
}

TEST(IpNetwork, RefusesPrefixesThatAreNoneOrTooLong) {
  for (const char* text : {"10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/8/8",
                           "10.0.0.0/255.0.0.0", "10.0.0.0/99999999999"}) {
    EXPECT_NE(refusal(text).find("from 0 to 32"), std::string::npos) << text;
  }
  EXPECT_NE(refusal("fd00::/129").find("from 0 to 128"), std::string::npos);
}

TEST(IpNetwork, ContainsItselfAndWhatIsInside) {
  EXPECT_TRUE(network("10.0.0.0/8").contains(network("10.0.0.0/8")));
  EXPECT_TRUE(network("10.0.0.0/8").contains(network("10.255.255.255")));
  EXPECT_TRUE(network("0.0.0.0/0").contains(network("203.0.113.0/24")));
  EXPECT_TRUE(network("fd00::/15").contains(network("fd01::1")));
  EXPECT_FALSE(network("10.0.0.0/8").contains(network("11.0.0.0")));
  EXPECT_FALSE(network("10.0.0.0/9").contains(network("10.0.0.0/8")));
  EXPECT_FALSE(network("fd00::/64").contains(network("fd00:0:0:1::1")));
}

TEST(IpNetwork, FamiliesNeverContainEachOther) {
  EXPECT_FALSE(network("0.0.0.0/0").contains(network("::/0")));
  EXPECT_FALSE(network("::/0").contains(network("10.0.0.1")));
}

TEST(IpNetwork, RawBytesAreMaskedToThePrefix) {
  const unsigned char bytes[16] = {192, 168, 7, 9};
  EXPECT_EQ(to_string(make_ip_network(bytes, false, 24)), "192.168.7.0/24");
  EXPECT_EQ(to_string(make_ip_network(bytes, false, 0)), "0.0.0.0/0");
}

}  // namespace
}  // namespace faultline
