// Routes and policy rules of the target: what comes or goes under a fault is told as residue, and what the
// kernel and others do of their own is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/faults/net_routes.h"
#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class NetRoutes : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = shared_support().steering();
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    clean = lab.net.network_state();
  }
  void TearDown() override { EXPECT_EQ(lab.net.network_state(), clean); }

  // In batches: a process for each is slow under emulation.
  void ip(const std::string& lines, const std::string& family = "") {
    shell("ip " + family + " -n " + lab.net.netns() + " -batch - <<'E'\n" + lines + "\nE");
  }
  void apply(const std::string& id = "f") {
    v1::FaultSpec spec;
    spec.mutable_reject()->mutable_traffic()->add_peers(kPeer);
    apply(spec, id);
  }
  void apply(const v1::FaultSpec& spec, const std::string& id) {
    const auto applied = lab.engine.apply(lab.request(spec, id));
    ASSERT_TRUE(applied.ok()) << applied.status();
  }
  std::vector<std::string> residue_of(const std::string& id = "f") {
    const v1::FaultStatus status = lab.revert(id);
    EXPECT_TRUE(status.residue_checked());
    return {status.residue().begin(), status.residue().end()};
  }

  FaultLab lab;
  std::string clean;
};

TEST_F(NetRoutes, WhatAppearedUnderAFaultIsToldWhateverTableAndFamily) {
  apply();
  ip("route add 10.7.0.0/16 via 10.99.0.2\n"
     "route add blackhole 10.8.0.0/16 table 77\n"
     "route add fd07::/64 via fd99::2 metric 5\n"
     "rule add from 10.7.0.0/16 lookup 77 priority 99");
  ip("rule add from fd07::/64 fwmark 7 lookup 78 priority 98", "-6");
  EXPECT_THAT(residue_of(),
              UnorderedElementsAre(AllOf(StartsWith("left behind: "),
                                         HasSubstr(": route 10.7.0.0/16 via 10.99.0.2 dev eth0 table 254")),
                                   HasSubstr("route blackhole 10.8.0.0/16 table 77"),
                                   HasSubstr("route fd07::/64 via fd99::2 dev eth0 table 254 metric 5"),
                                   HasSubstr("rule 99 from 10.7.0.0/16 to 0.0.0.0/0 action 1 table 77"),
                                   AllOf(HasSubstr("rule 98 from fd07::/64 to ::/0"), HasSubstr("table 78"),
                                         HasSubstr("07000000"))));
  ip("route del 10.7.0.0/16\nroute del blackhole 10.8.0.0/16 table 77\nroute del fd07::/64 via fd99::2 "
     "metric 5\n"
     "rule del priority 99");
  ip("rule del priority 98", "-6");
}

TEST_F(NetRoutes, WhatVanishedOrChangedUnderAFaultIsTold) {
  ip("route add default via 10.99.0.2\nroute add 10.7.0.0/16 via 10.99.0.2");
  apply();
  ip("route del default\nroute change 10.7.0.0/16 via 10.99.0.3");
  EXPECT_THAT(residue_of(),
              UnorderedElementsAre(
                  AllOf(StartsWith("missing: "), HasSubstr("route 0.0.0.0/0 via 10.99.0.2 dev eth0")),
                  AllOf(StartsWith("missing: "), HasSubstr("10.7.0.0/16 via 10.99.0.2 ")),
                  AllOf(StartsWith("left behind: "), HasSubstr("10.7.0.0/16 via 10.99.0.3 "))));
  ip("route del 10.7.0.0/16");
}

TEST_F(NetRoutes, WhatTheKernelAndRoutingDaemonsMakeAndWhatExpiresIsTheirs) {
  ip("route add 10.5.0.0/16 via 10.99.0.2 proto bird");
  apply();
  ip("addr add 10.55.0.1/24 dev eth0\naddr add fd55::1/64 dev eth0 nodad\n"
     "route add fd07::/64 via fd99::2 proto ra\nroute add 10.6.0.0/16 via 10.99.0.2 proto dhcp\n"
     "route add fd08::/64 via fd99::2 expires 100\nroute del 10.5.0.0/16\n"
     "rule add from 10.6.0.0/16 lookup 77 priority 99 protocol zebra");
  EXPECT_THAT(residue_of(), IsEmpty());
  ip("addr del 10.55.0.1/24 dev eth0\naddr del fd55::1/64 dev eth0\nroute del fd07::/64\nroute del "
     "10.6.0.0/16\n"
     "route del fd08::/64\nrule del priority 99");
}

TEST_F(NetRoutes, WhatGoesOrComesWithItsDeviceIsNoResidue) {
  ip("link add dev fl0 type veth peer name fl1\nlink set fl0 up\nlink set fl1 up\naddr add 10.9.0.1/24 dev "
     "fl0\n"
     "route add 10.7.0.0/16 via 10.9.0.2\nroute add fd07::/64 dev fl0");
  apply("down");
  apply("renamed");
  apply("deleted");
  apply("another");
  // The kernel takes the routes away, and nobody puts them back.
  ip("link set fl0 down\nlink set fl0 up");
  EXPECT_THAT(residue_of("down"), IsEmpty());
  ip("link set fl0 down\nlink set fl0 name fl7\nlink set fl7 up\nroute add 10.7.0.0/16 via 10.9.0.2");
  EXPECT_THAT(residue_of("renamed"), IsEmpty());
  ip("link del fl7");
  EXPECT_THAT(residue_of("deleted"), IsEmpty());
  ip("link add dev fl0 type veth peer name fl1\nlink set fl0 up\nlink set fl1 up\nroute add 10.8.0.0/16 dev "
     "fl0");
  EXPECT_THAT(residue_of("another"), IsEmpty());
  ip("link del fl0");
}

// What a DHCP client cannot renew under a partition.
TEST_F(NetRoutes, WhatGoesWithADevicesLastAddressIsNoResidue) {
  const std::string shown = "ip -n " + lab.net.netns() + " route show 10.7.0.0/16";
  ip("link add dev fl0 type veth peer name fl1\nlink set fl0 up\nlink set fl1 up\naddr add 10.9.0.1/24 dev "
     "fl0\nroute add 10.7.0.0/16 via 10.9.0.2");
  apply();
  ip("addr del 10.9.0.1/24 dev fl0");
  ASSERT_EQ(shell(shown), "");
  EXPECT_THAT(residue_of(), IsEmpty());
  ip("addr add 10.9.0.1/24 dev fl0 valid_lft 2 preferred_lft 2\nroute add 10.7.0.0/16 via 10.9.0.2");
  ASSERT_NE(shell(shown), "");
  apply();
  EXPECT_EQ(shell("for i in $(seq 100); do [ -z \"$(" + shown + ")\" ] && break; sleep 0.1; done; " + shown),
            "");
  EXPECT_THAT(residue_of(), IsEmpty());
  ip("addr add 10.9.0.1/24 dev fl0\nroute add 10.7.0.0/16 via 10.9.0.2");
  apply();
  shell("sleep 0.1");  // the kernel tells the time of making in hundredths of a second
  ip("addr del 10.9.0.1/24 dev fl0\naddr add 10.9.0.1/24 dev fl0");
  EXPECT_THAT(residue_of(), IsEmpty()) << "the same address, made anew";
  ip("link del fl0");
}

TEST_F(NetRoutes, WhatGoesWithItsPreferredSourceIsNoResidue) {
  ip("addr add 10.55.0.1/24 dev eth0\naddr add fd55::1/64 dev eth0 nodad\n"
     "route add 10.7.0.0/16 via 10.99.0.2 src 10.55.0.1\nroute add fd07::/64 via fd99::2 src fd55::1");
  apply();
  ip("addr del 10.55.0.1/24 dev eth0\naddr del fd55::1/64 dev eth0");
  ASSERT_EQ(shell("ip -n " + lab.net.netns() + " route show 10.7.0.0/16"), "");
  ASSERT_THAT(shell("ip -n " + lab.net.netns() + " -6 route show fd07::/64"), Not(HasSubstr("src")));
  EXPECT_THAT(residue_of(), IsEmpty());
  ip("route del fd07::/64");
}

TEST_F(NetRoutes, AnAddressThatStaysOrComesExcusesNothing) {
  ip("addr add 10.55.0.1/24 dev eth0 valid_lft 900 preferred_lft 900\naddr add fd55::1/64 dev eth0 nodad\n"
     "route add 10.7.0.0/16 via 10.99.0.2 src 10.55.0.1\nroute add fd07::/64 via fd99::2 src fd55::1");
  apply();
  ip("addr change 10.55.0.1/24 dev eth0 valid_lft 800 preferred_lft 800\naddr add 10.56.0.1/24 dev eth0\n"
     "route del 10.7.0.0/16\nroute change fd07::/64 via fd99::2");
  EXPECT_THAT(
      residue_of(),
      UnorderedElementsAre(AllOf(StartsWith("missing: "),
                                 HasSubstr("route 10.7.0.0/16 via 10.99.0.2 dev eth0 src 10.55.0.1 ")),
                           AllOf(StartsWith("missing: "), HasSubstr("source fd55::1 of route fd07::/64"))));
  ip("addr del 10.55.0.1/24 dev eth0\naddr del 10.56.0.1/24 dev eth0\naddr del fd55::1/64 dev eth0\n"
     "route del fd07::/64");
}

// The kernel leaves the ways by the others.
TEST_F(NetRoutes, AnIpv6RouteThatLosesOneOfItsDevicesIsNoResidue) {
  ip("link add dev fl0 type veth peer name fl1\nlink set fl0 up\nlink set fl1 up\naddr add fd09::1/64 dev "
     "fl0 "
     "nodad\nroute add fd07::/64 nexthop via fd99::2 dev eth0 weight 3 nexthop via fd09::2 dev fl0");
  apply();
  ip("link del fl0");
  ASSERT_THAT(shell("ip -n " + lab.net.netns() + " -6 route show fd07::/64"),
              StartsWith("fd07::/64 via fd99::2"));
  EXPECT_THAT(residue_of(), IsEmpty());
  apply();
  ip("route append fd07::/64 via fd99::3");
  EXPECT_THAT(residue_of(), UnorderedElementsAre(AllOf(StartsWith("left behind: "),
                                                       HasSubstr(": route fd07::/64 via fd99::3")),
                                                 HasSubstr("weight 3 of ")))
      << "of one of several the kernel tells the weight again";
  ip("route del fd07::/64");
  shell("ip -n " + lab.net.netns() + " -6 route del fd07::/64 2>&1 || :");
}

TEST_F(NetRoutes, ADeviceThatStaysExcusesNothing) {
  ip("route add 10.7.0.0/16 via 10.99.0.2");
  apply();
  ip("link add dev fl0 type veth peer name fl1\nroute del 10.7.0.0/16");
  EXPECT_THAT(residue_of(), ElementsAre(HasSubstr("missing: ")));
  ip("link del fl0");
}

// A detour's devices have no address, so the kernel makes no routes to them; any other is told, whoever made
// it.
TEST_F(NetRoutes, NoRouteLeadsToADetour) {
  const Status supported = lab.kinds[0]->supported();
  REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
  const Status detour = shared_support().detour();
  REQUIRE_SUPPORTED(detour.ok(), message_of(detour));
  const std::string all = "ip -n " + lab.net.netns() + " route show table all; ip -n " + lab.net.netns() +
                          " -6 route show table all; ip -n " + lab.net.netns() + " -6 addr show";
  apply(delay_spec(std::chrono::milliseconds(300)), "a");
  apply(delay_spec(std::chrono::milliseconds(300)), "b");
  const std::string device = lab.net.detour_device();
  ASSERT_THAT(lab.net.network_state(), HasSubstr(device));
  EXPECT_THAT(shell(all), Not(HasSubstr("fa17")));
  EXPECT_THAT(residue_of("a"), IsEmpty()) << "while another one keeps the detour";

  apply(delay_spec(std::chrono::milliseconds(300)), "a");
  ip("route add 10.7.0.0/16 dev " + device + "\nroute add 10.8.0.0/16 dev " + device + " proto kernel\n" +
     "route add 10.6.0.0/16 proto ra nexthop via 10.99.0.2 dev eth0 nexthop dev " + device);
  EXPECT_THAT(residue_of("a"), UnorderedElementsAre(HasSubstr("10.7.0.0/16 dev " + device),
                                                    HasSubstr("10.8.0.0/16 dev " + device),
                                                    HasSubstr("nexthop dev " + device)));
  EXPECT_THAT(residue_of("b"), IsEmpty()) << "gone with the detour";
  EXPECT_THAT(shell(all), Not(HasSubstr("fa17")));
  shell("ip -n " + lab.net.netns() + " route del 10.6.0.0/16 2>&1 || :");
}

TEST_F(NetRoutes, OneOfThousandsIsFound) {
  constexpr int kRoutes = 2000;
  const auto batch = [](const std::string& verb) {
    return "seq 0 " + std::to_string(kRoutes - 1) + " | awk '{ print \"route " + verb +
           " 10.\" 100 + int($1 / 256) \".\" $1 % 256 \".0/24 via 10.99.0.2\" }' | ip -n ";
  };
  shell(batch("add") + lab.net.netns() + " -batch -");
  apply();
  EXPECT_THAT(residue_of(), IsEmpty());
  apply();
  ip("route del 10.103.7.0/24\nroute add 10.120.7.0/24 via 10.99.0.2");
  EXPECT_THAT(residue_of(), UnorderedElementsAre(HasSubstr("missing: "), HasSubstr("left behind: ")));
  ip("route add 10.103.7.0/24 via 10.99.0.2\nroute del 10.120.7.0/24");
  shell(batch("del") + lab.net.netns() + " -batch -");
}

TEST_F(NetRoutes, TheHostsOwnAreNotLookedAt) {
  EXPECT_THAT(route_items(netns_of_process(::getpid()).value()).value(), IsEmpty());
  EXPECT_THAT(route_items(netns_of_process(lab.net.target().pid()).value()).value(), Not(IsEmpty()));
}

}  // namespace
}  // namespace faultline::testing
