// The watchdog's real work on real qdiscs, without an agent. With one: agent_death_test, agent_crash_test.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>

#include <string>

#include "agent/kernel/detour.h"
#include "agent/kernel/net_support.h"
#include "agent/kernel/netns.h"
#include "agent/kernel/qdisc.h"
#include "common/clock.h"
#include "tests/support/kernel_test.h"
#include "tests/support/net_lab.h"
#include "tests/support/watchdog_child.h"

namespace faultline::testing {
namespace {

class Watchdog : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = NetSupport().band(NetemParams{});
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    clean = net.network_state();
    netns.reset(::open(("/run/netns/" + net.netns()).c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(netns.valid());
    const Netns target = netns_of_process(net.target().pid()).value();
    ASSERT_TRUE(run_in_netns(target, [&] {
                  ifindex = static_cast<int>(::if_nametoindex("eth0"));
                  return ok_status();
                }).ok());
  }
  void TearDown() override {
    if (net.network_state() != clean) tc("del dev eth0 root");
    EXPECT_EQ(net.network_state(), clean);
  }
  void tc(const std::string& qdisc) { shell("tc -n " + net.netns() + " qdisc " + qdisc); }
  StickyWill will() const {
    return {.action = StickyWill::Action::kRemoveRootQdisc,
            .fd = netns.get(),
            .ifindex = ifindex,
            .handle = kTreeHandle};
  }

  NetLab& net = shared_net_lab();
  std::string clean;
  UniqueFd netns;
  int ifindex = 0;
};

TEST_F(Watchdog, RemovesTheTreeWithAllThatIsInItAndAsksForNoMemory) {
  WatchdogChild watchdog;
  ASSERT_EQ(watchdog.hold(1, will()), 0);
  tc("add dev eth0 root handle fa17: prio bands 16");
  tc("add dev eth0 parent fa17:2 handle fa22: netem delay 10s");
  const MonoTime before = mono_now();
  const auto end = watchdog.finish();
  RecordProperty("removed_within_us", std::to_string((mono_now() - before) / std::chrono::microseconds(1)));
  EXPECT_EQ(net.network_state(), clean);
  EXPECT_EQ(end.failures, 0);
  EXPECT_EQ(end.allocations, 0u);
}

TEST_F(Watchdog, RemovesADetourByItsMarksAndAsksForNoMemory) {
  const std::string ip = "ip -n " + net.netns() + " link ";
  const std::string entry = net.detour_device();
  StickyWill remove = will();
  remove.action = StickyWill::Action::kRemoveDetour;
  remove.handle = kDetourGroup;
  for (const bool ours : {true, false}) {
    shell(ip + "add " + entry + " type veth peer name fa17r-0");
    if (ours) shell(ip + "set " + entry + " group 64023");
    shell("tc -n " + net.netns() + " qdisc add dev " + entry + " root handle fa17: prio bands 16");
    const std::string before = net.network_state();
    WatchdogChild watchdog;
    ASSERT_EQ(watchdog.hold(1, remove), 0);
    const auto end = watchdog.finish();
    EXPECT_EQ(net.network_state(), ours ? clean : before);
    EXPECT_EQ(end.failures, 0);
    EXPECT_EQ(end.allocations, 0u);
  }
  shell(ip + "del " + entry);
}

TEST_F(Watchdog, LeavesAWithdrawnTreeAlone) {
  tc("add dev eth0 root handle fa17: prio bands 16");
  const std::string before = net.network_state();
  WatchdogChild watchdog;
  ASSERT_EQ(watchdog.hold(1, will()), 0);
  watchdog.withdraw(1);
  EXPECT_EQ(watchdog.finish().failures, 0);
  EXPECT_EQ(net.network_state(), before);
}

TEST_F(Watchdog, LeavesWhatIsNotOursAlone) {
  for (const char* foreign : {"handle 5: pfifo limit 55", "handle fa17: pfifo limit 55", "handle 5: prio"}) {
    tc(std::string("add dev eth0 root ") + foreign);
    const std::string before = net.network_state();
    WatchdogChild watchdog;
    ASSERT_EQ(watchdog.hold(1, will()), 0);
    EXPECT_EQ(watchdog.finish().failures, 0) << foreign;
    EXPECT_EQ(net.network_state(), before) << foreign;
    tc("del dev eth0 root");
  }
}

TEST_F(Watchdog, ADeviceThatHasGoneIsNoFailure) {
  WatchdogChild watchdog;
  StickyWill gone = will();
  gone.ifindex = 99'999;
  ASSERT_EQ(watchdog.hold(1, gone), 0);
  ASSERT_EQ(watchdog.hold(2, will()), 0);
  tc("add dev eth0 root handle fa17: prio bands 16");
  EXPECT_EQ(watchdog.finish().failures, 0);
  EXPECT_EQ(net.network_state(), clean) << "and the next will is carried out";
}

}  // namespace
}  // namespace faultline::testing
