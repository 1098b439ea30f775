// Trees that stand on a device itself, where no detour can lead around it, and on devices that have both:
// that of one target's way out and of another's way in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "agent/target/cgroup.h"
#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::Not;

constexpr Nanos kDelay = milliseconds(300);
constexpr double kDelayMs = 300;
constexpr double kUndelayedMs = 150;
constexpr const char* kOwn = "10.99.0.1";
constexpr const char* kOwn6 = "fd99::1";
constexpr int kOwnPort = 7100;

const auto kPrompt = Lt(kUndelayedMs);
const auto kOnce = AllOf(Ge(kDelayMs), Lt(2 * kDelayMs));
const auto kTwice = AllOf(Ge(2 * kDelayMs), Lt(3 * kDelayMs));

class NetTreesAt : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = lab.kinds[0]->supported();
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    clean = state();
  }
  void TearDown() override {
    EXPECT_EQ(state(), clean);
    EXPECT_TRUE(lab.journal->unsettled().empty());
  }
  std::string state() const { return lab.net.network_state() + NetLab::network_state(lab.net.peer_netns()); }
  void apply(const v1::FaultSpec& spec, const std::string& id, const std::string& target = "") {
    v1::ApplyRequest request = lab.request(spec, id);
    if (!target.empty()) request.set_target(target);
    const auto applied = lab.engine.apply(request);
    ASSERT_TRUE(applied.ok()) << applied.status();
  }
  void revert(const std::string& id) {
    const v1::FaultStatus status = lab.revert(id);
    EXPECT_TRUE(status.residue_checked());
    EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
    EXPECT_GE(status.counters().injected(), 5u) << id;
  }
  // The least that a datagram took: a machine that stands still for a while makes some of them late, and no
  // fault that is in force spares one.
  double delay_to(LabProcess& who, const std::string& peer, int port = kPort) {
    const UdpResult result = NetLab::udp(who, peer, port, 15, 20'000, 2500);
    EXPECT_EQ(result.loss(), 0);
    return result.rtt_ms.empty() ? -1 : *std::min_element(result.rtt_ms.begin(), result.rtt_ms.end());
  }
  double delay_to(const std::string& peer, int port = kPort) {
    return delay_to(lab.net.target(), peer, port);
  }

  FaultLab lab;
  std::string clean;
};

// By which the target talks with itself.
class NetTreesAtLoopback : public NetTreesAt {
 protected:
  void SetUp() override {
    NetTreesAt::SetUp();
    echo = std::make_unique<LabProcess>(
        lab.net.netns(),
        std::vector<std::string>{"echo", kOwn, std::to_string(kOwnPort), kOwn6, std::to_string(kOwnPort)});
  }
  void apply_both() {
    apply(delay_spec(kDelay, {}, kOwn), "v4");
    apply(delay_spec(2 * kDelay, {}, kOwn6), "v6");
    EXPECT_THAT(lab.net.network_state(), HasSubstr("qdisc prio fa17: dev lo "));
    EXPECT_THAT(lab.net.network_state(), Not(HasSubstr("dev fa17")));
    EXPECT_THAT(delay_to(kOwn, kOwnPort), kOnce);
    EXPECT_THAT(delay_to(kOwn6, kOwnPort), kTwice);
  }
  std::unique_ptr<LabProcess> echo;
};

TEST_F(NetTreesAtLoopback, TwoFaultsShareTheTreeAndTheFirstGoesFirst) {
  apply_both();
  revert("v4");
  EXPECT_THAT(delay_to(kOwn, kOwnPort), kPrompt);
  EXPECT_THAT(delay_to(kOwn6, kOwnPort), kTwice);
  revert("v6");
  EXPECT_THAT(delay_to(kOwn6, kOwnPort), kPrompt);
}

TEST_F(NetTreesAtLoopback, TwoFaultsShareTheTreeAndTheLastGoesFirst) {
  apply_both();
  revert("v6");
  EXPECT_THAT(delay_to(kOwn, kOwnPort), kOnce);
  EXPECT_THAT(delay_to(kOwn6, kOwnPort), kPrompt);
  apply(delay_spec(2 * kDelay, {}, kOwn6), "again");
  EXPECT_THAT(delay_to(kOwn6, kOwnPort), kTwice);
  revert("v4");
  revert("again");
  EXPECT_THAT(delay_to(kOwn, kOwnPort), kPrompt);
}

TEST_F(NetTreesAtLoopback, WhatSomebodyRemovesThereEndsBothFaults) {
  apply_both();
  shell("tc -n " + lab.net.netns() + " qdisc del dev lo root");
  lab.engine.tick();
  for (const char* id : {"v4", "v6"}) {
    EXPECT_EQ(lab.status(id).end_reason(), v1::END_REASON_TARGET_GONE) << lab.status(id).DebugString();
    EXPECT_EQ(lab.status(id).residue_size(), 0) << lab.status(id).DebugString();
  }
  EXPECT_THAT(delay_to(kOwn, kOwnPort), kPrompt);
}

// Its packets have no Ethernet headers by which a detour could lead. What it sends leaves by another device,
// wrapped.
TEST_F(NetTreesAt, ATunnelHasItsTreeOnItAndTheDeviceBelowBesideIt) {
  const auto tunnel = [](const std::string& netns, int own, int other) {
    const std::string number = std::to_string(own);
    shell("ip -n " + netns + " -batch - <<'E'\nlink add t0 type ipip local 10.99.0." + number +
          " remote 10.99.0." + std::to_string(other) + "\naddr add 10.77.0." + number +
          "/24 dev t0\nlink set t0 up\nE");
  };
  tunnel(lab.net.netns(), 1, 2);
  tunnel(lab.net.peer_netns(), 2, 1);
  clean = state();
  {
    const LabProcess far(lab.net.peer_netns(), {"echo", "10.77.0.2", std::to_string(kOwnPort)});
    for (const bool tunnel_first : {true, false}) {
      const auto by_tunnel = [&] { apply(delay_spec(2 * kDelay, {}, "10.77.0.2"), "tunnel"); };
      if (tunnel_first) by_tunnel();
      apply(delay_spec(kDelay), "eth0");
      if (!tunnel_first) by_tunnel();
      EXPECT_THAT(lab.net.network_state(), HasSubstr("qdisc prio fa17: dev t0 "));
      EXPECT_THAT(delay_to("10.77.0.2", kOwnPort), kTwice);
      EXPECT_THAT(delay_to(kPeer), kOnce);
      revert(tunnel_first ? "tunnel" : "eth0");
      EXPECT_THAT(delay_to("10.77.0.2", kOwnPort),
                  tunnel_first ? ::testing::Matcher<double>(kPrompt) : kTwice);
      EXPECT_THAT(delay_to(kPeer), tunnel_first ? ::testing::Matcher<double>(kOnce) : kPrompt);
      revert(tunnel_first ? "eth0" : "tunnel");
    }
  }
  EXPECT_EQ(state(), clean);
  shell("ip -n " + lab.net.netns() + " link del t0; ip -n " + lab.net.peer_netns() + " link del t0");
  clean = state();  // with what came with the first tunnel to stay
}

// The host's end of one target's veth is another one's own device. Before 6.6 the tree of what arrives at the
// first stands on it, and that of what the second one sends beside it; later both share the one beside it.
class NetTreesAtTheHostEnd : public NetTreesAt, public ::testing::WithParamInterface<std::tuple<bool, bool>> {
 protected:
  void SetUp() override {
    NetTreesAt::SetUp();
    std::filesystem::create_directory(find_cgroup_root().value() + kCgroup);
    host = std::make_unique<LabProcess>(
        lab.net.peer_netns(), std::vector<std::string>{"client", find_cgroup_root().value() + kCgroup});
    echo = std::make_unique<LabProcess>(lab.net.netns(),
                                        std::vector<std::string>{"echo", kOwn, std::to_string(kOwnPort)});
  }
  void TearDown() override {
    host.reset();
    std::error_code busy;
    for (int i = 0; i < 200 && !std::filesystem::remove(find_cgroup_root().value() + kCgroup, busy); ++i) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    NetTreesAt::TearDown();
  }
  void apply_arriving() {
    v1::FaultSpec spec = delay_spec(kDelay);
    spec.mutable_delay()->mutable_traffic()->set_direction(v1::DIRECTION_INGRESS);
    apply(spec, "arriving");
  }
  void apply_leaving() {
    apply(delay_spec(2 * kDelay, {}, kOwn), "leaving", std::string("cgroup:") + kCgroup);
  }
  double arriving() { return delay_to(kPeer); }
  double leaving() { return delay_to(*host, kOwn, kOwnPort); }

  static constexpr const char* kCgroup = "/fl-lab-host";
  std::unique_ptr<LabProcess> host, echo;
};

TEST_P(NetTreesAtTheHostEnd, TwoTargetsShareTheDeviceAndGoApart) {
  const auto [arriving_comes_first, arriving_goes_first] = GetParam();
  if (arriving_comes_first) apply_arriving();
  apply_leaving();
  if (!arriving_comes_first) apply_arriving();
  EXPECT_THAT(arriving(), kOnce);
  EXPECT_THAT(leaving(), kTwice);
  const bool redirects = shared_support().redirect().ok();
  const std::string seen = NetLab::network_state(lab.net.peer_netns());
  EXPECT_THAT(seen, HasSubstr("qdisc prio fa17: dev fa17-"));
  EXPECT_EQ(seen.find("qdisc prio fa17: dev eth0 ") == std::string::npos, redirects) << seen;

  revert(arriving_goes_first ? "arriving" : "leaving");
  if (arriving_goes_first) {
    EXPECT_THAT(arriving(), kPrompt);
    EXPECT_THAT(leaving(), kTwice);
  } else {
    EXPECT_THAT(arriving(), kOnce);
    EXPECT_THAT(leaving(), kPrompt);
  }
  revert(arriving_goes_first ? "leaving" : "arriving");
  EXPECT_THAT(arriving(), kPrompt);
  EXPECT_THAT(leaving(), kPrompt);
}

std::string order_of(const ::testing::TestParamInfo<std::tuple<bool, bool>>& orders) {
  return std::string(std::get<0>(orders.param) ? "ArrivingFirst" : "LeavingFirst") +
         (std::get<1>(orders.param) ? "ArrivingGoesFirst" : "LeavingGoesFirst");
}
INSTANTIATE_TEST_SUITE_P(ComingAndGoing, NetTreesAtTheHostEnd,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()), order_of);

}  // namespace
}  // namespace faultline::testing
