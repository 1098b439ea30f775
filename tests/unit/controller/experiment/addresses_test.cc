#include "controller/experiment/file/addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace faultline {
namespace {

using ::testing::HasSubstr;

TEST(Addresses, TakesPeersOfBothFamilies) {
  for (const char* good : {"10.0.0.7", "10.0.0.0/24", "10.0.0.7/32", "0.0.0.0/0", "10.128.0.0/9", "fd00::1",
                           "fd00::/64", "::/0", "fd00::1/128", "fe80::/10", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(check_peer(good).ok()) << good << ": " << check_peer(good);
  }
}

TEST(Addresses, RefusesPeersThatAreNone) {
  for (const char* bad :
       {"", "/", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.256",
        "010.0.0.1", "fd00::/129", "fe80::1%eth0", "host/24", "10.0.0.0/+8", "10.0.0.0/8 ", " 10.0.0.1"}) {
    EXPECT_FALSE(check_peer(bad).ok()) << bad;
  }
}

TEST(Addresses, TakesHostNamesAndTargetsAsPeers) {
  for (const char* good : {"host", "metrics.example", "metrics.example.", "a_b", "1and1.example", "x--y.z9",
                           "cgroup:/a/b", "pid:1", "container:fl-demo-gateway", "10-0-0-7.pods.example"}) {
    EXPECT_TRUE(check_peer(good).ok()) << good << ": " << check_peer(good);
  }
  EXPECT_TRUE(check_peer(std::string(63, 'a')).ok());
  const std::string long_name = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                                std::string(63, 'c') + "." + std::string(61, 'd');
  EXPECT_TRUE(check_peer(long_name).ok()) << long_name.size();
  EXPECT_FALSE(check_peer(long_name + "d").ok());
  EXPECT_FALSE(check_peer(std::string(64, 'a')).ok());
  for (const char* bad :
       {"-host", "host-", "a.-b", "a..b", ".a", "ho st", "h\xc3\xb6st", "a.b.300", "http://h", "host:80",
        "cgroup:/", "cgroup:/a/../b", "pid:0", "pid:x", "container:", "pod:x", "Container:x"}) {
    EXPECT_FALSE(check_peer(bad).ok()) << bad;
  }
}

TEST(Addresses, NamesTheNetworkWhenHostBitsAreSet) {
  const std::pair<const char*, const char*> cases[] = {
      {"10.88.77.3/24", "the network is 10.88.77.0/24"},    {"10.88.77.3/31", "the network is 10.88.77.2/31"},
      {"255.255.255.255/1", "the network is 128.0.0.0/1"},  {"1.2.3.4/0", "the network is 0.0.0.0/0"},
      {"fd00:1:2:3::9/48", "the network is fd00:1:2::/48"}, {"fd00::ff/121", "the network is fd00::80/121"}};
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(message_of(check_peer(text)), HasSubstr(message)) << text;
  }
}

TEST(Addresses, SplitsHostAndPort) {
  const std::tuple<const char*, const char*, int> cases[] = {{"10.0.0.7:5432", "10.0.0.7", 5432},
                                                             {"db.local:1", "db.local", 1},
                                                             {"db_1:65535", "db_1", 65535},
                                                             {"[fd00::1]:80", "fd00::1", 80}};
  for (const auto& [text, host, port] : cases) {
    const StatusOr<HostPort> parsed = parse_host_port(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status();
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
  }
  for (const char* bad :
       {"",          ":80",         "db",       "db:",           "db:0",          "db:65536",
        "db:x",      "db:80x",      "db: 80",   "db :80",        "fd00::1:80",    "fd00::1",
        "[fd00::1]", "[fd00::1]80", "[fd00::1", "[10.0.0.1]:80", "10.0.0.256:80", "10.0.0:80",
        "-db:80",    "http://db:80"}) {
    EXPECT_FALSE(parse_host_port(bad).ok()) << bad;
  }
}

TEST(Addresses, ReadsPortsAndRanges) {
  const StatusOr<Ports> one = parse_ports("80");
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->first, 80);
  EXPECT_EQ(one->last, 80);
  const StatusOr<Ports> range = parse_ports("1-65535");
  ASSERT_TRUE(range.ok());
  EXPECT_EQ(range->first, 1);
  EXPECT_EQ(range->last, 65535);
  for (const char* bad : {"", "-", "0", "65536", "80-", "-80", "90-80", "80-90-100", "80 - 90", "x", "1.5"}) {
    EXPECT_FALSE(parse_ports(bad).ok()) << bad;
  }
}

TEST(Addresses, ChecksUrls) {
  for (const char* good : {"http://h", "https://h/", "http://10.0.0.1:8080/a?b=c#d", "http://[fd00::1]/",
                           "http://h?x=a@b", "http://[fd00::1]:80/x", "http://a-b.c_d:1"}) {
    EXPECT_TRUE(check_url(good).ok()) << good << ": " << check_url(good);
  }
  for (const char* bad : {"",
                          "h",
                          "http:/h",
                          "http//h",
                          "HTTP://h",
                          "ftp://h",
                          "://h",
                          "http://",
                          "http:///x",
                          "http://:80",
                          "http://h:0",
                          "http://h:99999",
                          "http://h:",
                          "http://h h",
                          "http://h/\n",
                          "http://h/\xc3\xa9",
                          "http://user@h",
                          "http://u:p@h",
                          "http://fd00::1/",
                          "http://[::1",
                          "http://[x]/",
                          "http://1.2.3/",
                          "http://h:80:80"}) {
    EXPECT_FALSE(check_url(bad).ok()) << bad;
  }
  EXPECT_FALSE(check_url("http://h/" + std::string(2048, 'a')).ok());
}

TEST(Addresses, ChecksJsonPointers) {
  for (const char* good : {"/status", "/a/0/b", "/", "/a~0b~1c", "/\"x\""}) {
    EXPECT_TRUE(check_json_pointer(good).ok()) << good;
  }
  for (const char* bad : {"status", "$.status", "/a~", "/a~2", "/~/x"}) {
    EXPECT_FALSE(check_json_pointer(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace faultline
