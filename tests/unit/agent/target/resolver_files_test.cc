#include "agent/target/resolver_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace faultline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> hosts(std::string_view text, std::string_view name) {
  std::vector<std::string> texts;
  for (const IpNetwork& address : addresses_in_hosts(text, name)) texts.push_back(to_string(address));
  return texts;
}

TEST(Hosts, GivesEveryAddressOfANameOnceWhateverItsCase) {
  constexpr std::string_view kText =
      "127.0.0.1 localhost\n"
      "10.0.0.7\tdb.example DB  # the old one\r\n"
      "fd00::7 db\n"
      "10.0.0.7 db again\n"
      "10.0.0.8 database\n";
  EXPECT_THAT(hosts(kText, "db"), ElementsAre("10.0.0.7/32", "fd00::7/128"));
  EXPECT_THAT(hosts(kText, "db."), ElementsAre("10.0.0.7/32", "fd00::7/128"));
  EXPECT_THAT(hosts(kText, "Db.Example"), ElementsAre("10.0.0.7/32"));
  EXPECT_THAT(hosts(kText, "old"), IsEmpty());
  EXPECT_THAT(hosts(kText, "10.0.0.7"), IsEmpty());
}

TEST(Hosts, PassesOverWhatIsNoAddress) {
  EXPECT_THAT(hosts("10.0.0.0/8 db\nfe80::1%eth0 db\n300.1.1.1 db\ndb db\n10.0.0.1\n\n#10.0.0.2 db", "db"),
              IsEmpty());
  EXPECT_THAT(hosts("", "db"), IsEmpty());
  EXPECT_THAT(hosts("10.0.0.9 db", "db"), ElementsAre("10.0.0.9/32"));  // no newline at the end
}

TEST(ResolvConf, GivesServersSearchListAndDots) {
  const ResolverSettings s = parse_resolv_conf(
      "# made by somebody\n"
      "nameserver 10.96.0.10\n"
      " nameserver fd00::a\n"
      "search old.example\n"
      "search default.svc.cluster.local svc.cluster.local\n"
      "options edns0 ndots:5 timeout:1\n");
  EXPECT_THAT(s.nameservers, ElementsAre("10.96.0.10", "fd00::a"));
  EXPECT_THAT(s.search, ElementsAre("default.svc.cluster.local", "svc.cluster.local"));
  EXPECT_EQ(s.ndots, 5);
}

TEST(ResolvConf, HasTheDefaultsOfTheCLibrary) {
  for (const char* text :
       {"", "nameserver\nsearch\noptions\n", "nameserver fe80::1%eth0\nnameserver x,1.1.1.1\n"}) {
    const ResolverSettings s = parse_resolv_conf(text);
    EXPECT_THAT(s.nameservers, ElementsAre("127.0.0.1")) << text;
    EXPECT_THAT(s.search, IsEmpty()) << text;
    EXPECT_EQ(s.ndots, 1) << text;
  }
}

TEST(ResolvConf, IsBounded) {
  std::string text = "options ndots:999999\nsearch";
  for (int i = 0; i < 50; ++i) text += " d" + std::to_string(i);
  for (int i = 0; i < 50; ++i) text += "\nnameserver 10.0.0." + std::to_string(i);
  const ResolverSettings s = parse_resolv_conf(text);
  EXPECT_EQ(s.nameservers.size(), 3u);
  EXPECT_EQ(s.search.size(), 6u);
  EXPECT_EQ(s.ndots, 15);
  EXPECT_EQ(parse_resolv_conf("options ndots:-3").ndots, 0);
  EXPECT_EQ(parse_resolv_conf("options ndots:x").ndots, 1);
}

TEST(HostName, IsMadeOfLabels) {
  for (const char* name : {"db", "db.", "a-b.c_d.example", "3com.example", "x1"}) {
    EXPECT_TRUE(check_host_name(name).ok()) << name;
  }
  for (const std::string& name : {std::string(), std::string("."), std::string("a..b"), std::string(".a"),
                                  std::string("a b"), std::string("10.0.0.300"), std::string("a/b"),
                                  std::string("ä"), std::string(64, 'a'), std::string("a\nb")}) {
    EXPECT_EQ(check_host_name(name).code(), StatusCode::kInvalidArgument) << name;
  }
  std::string longest;
  for (int i = 0; i < 63; ++i) longest += "aaa.";  // 252
  EXPECT_TRUE(check_host_name(longest + "a").ok());
  EXPECT_FALSE(check_host_name(longest + "aa").ok());
}

}  // namespace
}  // namespace faultline
