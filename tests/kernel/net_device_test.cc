// What becomes of a fault whose network interface is renamed, taken down or deleted under it: no crash,
// nothing left, and nothing claimed that did not happen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;

constexpr Nanos kDelay = milliseconds(300);
constexpr double kDelayMs = 300;
constexpr double kUndelayedMs = 150;

class NetDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = lab.kinds[0]->supported();
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    // The kernel takes it away with the device, or when that goes down; nobody else does.
    shell(ip() + "route add 10.7.0.0/16 via " + kPeer);
    const auto applied = lab.engine.apply(lab.request(delay_spec(kDelay)));
    ASSERT_TRUE(applied.ok()) << applied.status();
    ASSERT_GE(median(), kDelayMs);
  }
  double median() { return NetLab::udp(lab.net.target(), kPeer, kPort, 10, 2000, 2000).median_ms(); }
  std::string ip() const { return "ip -n " + lab.net.netns() + " "; }
  // Everything that tc shows, on whatever devices there are.
  std::string qdiscs() const { return shell("tc -n " + lab.net.netns() + " qdisc show"); }
  void make_device_anew() {
    const std::string far = "ip -n " + lab.net.peer_netns() + " ";
    shell("ip link add name eth0 netns " + lab.net.netns() + " type veth peer name eth0 netns " +
          lab.net.peer_netns());
    shell(ip() + "addr add 10.99.0.1/24 dev eth0 && " + ip() + "link set eth0 up");
    shell(far + "addr add 10.99.0.2/24 dev eth0 && " + far + "link set eth0 up");
  }
  void expect_clean_revert() {
    const v1::FaultStatus status = lab.revert();
    EXPECT_EQ(status.state(), v1::FAULT_STATE_ENDED) << status.DebugString();
    EXPECT_TRUE(status.residue_checked());
    EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
    EXPECT_THAT(qdiscs(), ::testing::Not(::testing::HasSubstr("fa17")));
    injected = status.counters().injected();
  }

  FaultLab lab;
  std::uint64_t injected = 0;
};

TEST_F(NetDevice, RenamedUnderAFaultKeepsItAndLetsItGo) {
  shell(ip() + "link set eth0 down");
  shell(ip() + "link set eth0 name uplink7");
  shell(ip() + "link set uplink7 up");
  EXPECT_GE(median(), kDelayMs);
  expect_clean_revert();
  EXPECT_LT(median(), kUndelayedMs);
  // A new fault finds the device under its new name.
  ASSERT_TRUE(lab.engine.apply(lab.request(delay_spec(kDelay), "g")).ok());
  EXPECT_GE(median(), kDelayMs);
  EXPECT_EQ(lab.revert("g").residue_size(), 0);
  shell(ip() + "link set uplink7 down");
  shell(ip() + "link set uplink7 name eth0");
  shell(ip() + "link set eth0 up");
  EXPECT_LT(median(), kUndelayedMs);
}

TEST_F(NetDevice, DeletedUnderAFaultTakesItAlong) {
  const std::uint64_t before = lab.status().counters().injected();
  shell(ip() + "link del eth0");
  EXPECT_TRUE(NetLab::udp(lab.net.target(), kPeer, kPort, 10, 2000, 100).rtt_ms.empty());
  // As when a container's network is made anew: the fault is not on the new device, and says that it is over.
  make_device_anew();
  lab.engine.tick();
  EXPECT_EQ(lab.status().end_reason(), v1::END_REASON_TARGET_GONE);
  EXPECT_THAT(lab.status().end_detail(), ::testing::HasSubstr("interface has gone"));
  EXPECT_LT(median(), kUndelayedMs);
  expect_clean_revert();
  EXPECT_EQ(injected, before);
  EXPECT_LT(median(), kUndelayedMs);
}

TEST_F(NetDevice, DeletedWhileAFaultIsTakenAwayLeavesNothing) {
  // Packets wait in the band, so revert() drains it while the device goes.
  std::thread sending([&] { NetLab::udp(lab.net.target(), kPeer, kPort, 20, 2000, 100); });
  std::this_thread::sleep_for(milliseconds(60));
  std::thread deleting([&] {
    std::this_thread::sleep_for(milliseconds(50));
    shell(ip() + "link del eth0");
  });
  expect_clean_revert();
  sending.join();
  deleting.join();
  make_device_anew();
  EXPECT_LT(median(), kUndelayedMs);
}

}  // namespace
}  // namespace faultline::testing
