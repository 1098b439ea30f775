// Faults of what arrives at the target: shaped on the host end of its veth, or dropped at its sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;

constexpr Nanos kDelay = milliseconds(300);
constexpr double kDelayMs = 300;
constexpr double kUndelayedMs = 150;

class NetIngress : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = lab.kinds[0]->supported();
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    clean = qdiscs();
  }
  static v1::FaultSpec delay(v1::Direction direction, const std::string& peer = kPeer) {
    v1::FaultSpec spec = delay_spec(kDelay, {}, peer);
    spec.mutable_delay()->mutable_traffic()->set_direction(direction);
    return spec;
  }
  void apply(const v1::FaultSpec& spec, const std::string& id = "f",
             Nanos lasting = std::chrono::seconds(60)) {
    const auto applied = lab.engine.apply(lab.request(spec, id, lasting));
    ASSERT_TRUE(applied.ok()) << applied.status();
  }
  void revert_leaves_nothing(const std::string& id = "f") {
    const v1::FaultStatus status = lab.revert(id);
    EXPECT_TRUE(status.residue_checked());
    EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
  }
  double median(LabProcess& who, const std::string& peer, int port = kPort) {
    return NetLab::udp(who, peer, port, 10, 2000, 2500).median_ms();
  }
  std::string host_qdiscs() const { return NetLab::network_state(lab.net.peer_netns()); }
  std::string qdiscs() const { return lab.net.network_state() + host_qdiscs(); }

  FaultLab lab;
  std::string clean;
};

TEST_F(NetIngress, DelaysWhatArrivesFromThePeerAtTheTarget) {
  apply(delay(v1::DIRECTION_INGRESS));
  EXPECT_THAT(host_qdiscs(), ::testing::HasSubstr("fa17:"));
  EXPECT_THAT(lab.net.network_state(), ::testing::Not(::testing::HasSubstr("fa17:")));
  const double one_way = median(lab.net.target(), kPeer);
  EXPECT_GE(one_way, kDelayMs);
  EXPECT_LT(one_way, 2 * kDelayMs);
  EXPECT_LT(median(lab.net.target(), kOtherPeer), kUndelayedMs);
  EXPECT_LT(median(lab.net.target(), kPeer6), kUndelayedMs);
  const v1::FaultStatus status = lab.status();
  EXPECT_GE(status.counters().injected(), 10u);
  EXPECT_EQ(status.counters().injected(), status.counters().matched());
  EXPECT_GE(status.achieved(0).samples(), 10u);
  EXPECT_NEAR(status.achieved(0).p05(), kDelayMs, 15);
  revert_leaves_nothing();
  EXPECT_EQ(qdiscs(), clean);
  EXPECT_LT(median(lab.net.target(), kPeer), kUndelayedMs);
}

TEST_F(NetIngress, LeavesTheNeighbourInTheSameNamespaceAlone) {
  apply(delay(v1::DIRECTION_INGRESS));
  EXPECT_LT(median(lab.net.neighbour(), kPeer), kUndelayedMs);
}

TEST_F(NetIngress, DelaysTcpAndIpv6) {
  apply(delay(v1::DIRECTION_INGRESS), "v4");
  apply(delay(v1::DIRECTION_INGRESS, "fd99::/64"), "v6");
  EXPECT_GE(NetLab::tcp_connect_ms(lab.net.target(), kPeer, kPort), kDelayMs);
  EXPECT_GE(median(lab.net.target(), kOtherPeer6), kDelayMs);
  EXPECT_LT(NetLab::tcp_connect_ms(lab.net.target(), kOtherPeer, kPort), kUndelayedMs);
}

TEST_F(NetIngress, BothDirectionsWaitTwice) {
  apply(delay(v1::DIRECTION_BOTH));
  EXPECT_GE(median(lab.net.target(), kPeer), 2 * kDelayMs);
  EXPECT_LT(median(lab.net.target(), kOtherPeer), kUndelayedMs);
  revert_leaves_nothing();
  EXPECT_EQ(qdiscs(), clean);
}

TEST_F(NetIngress, PortsAreThePeersInEitherDirection) {
  v1::FaultSpec spec = delay(v1::DIRECTION_INGRESS);
  auto* traffic = spec.mutable_delay()->mutable_traffic();
  traffic->set_protocol(v1::PROTOCOL_UDP);
  traffic->add_ports()->set_first(kOtherPort);
  traffic->mutable_ports(0)->set_last(kOtherPort);
  apply(spec);
  EXPECT_GE(median(lab.net.target(), kPeer, kOtherPort), kDelayMs);
  EXPECT_LT(median(lab.net.target(), kPeer, kPort), kUndelayedMs);
}

TEST_F(NetIngress, LossOfWhatArrivesNeedsNoQdisc) {
  v1::FaultSpec spec = loss_spec(1.0);
  spec.mutable_loss()->mutable_traffic()->set_direction(v1::DIRECTION_INGRESS);
  apply(spec);
  EXPECT_EQ(qdiscs(), clean);
  const UdpResult result = NetLab::udp(lab.net.target(), kPeer, kPort, 20);
  EXPECT_EQ(result.loss(), 1.0);
  EXPECT_EQ(result.refused, 0u);
  EXPECT_EQ(NetLab::udp(lab.net.target(), kOtherPeer, kPort, 20).loss(), 0.0);
  EXPECT_EQ(NetLab::udp(lab.net.neighbour(), kPeer, kPort, 20).loss(), 0.0);
  EXPECT_EQ(lab.status().counters().injected(), 20u);
  revert_leaves_nothing();
}

TEST_F(NetIngress, ABandwidthHoldsForWhatArrives) {
  v1::FaultSpec spec;
  spec.mutable_rate()->mutable_traffic()->add_peers(kPeer);
  spec.mutable_rate()->mutable_traffic()->set_direction(v1::DIRECTION_INGRESS);
  spec.mutable_rate()->set_bits_per_second(80'000);
  *spec.mutable_rate()->mutable_max_wait() = duration(std::chrono::seconds(5));
  apply(spec);
  // 200 echoes of 58 bytes are 12 kB; the bucket lets 1.7 kB pass at once and then 10 kB a second. More would
  // not fit into the send buffer of the echo server, which does not wait.
  const UdpResult result = NetLab::udp(lab.net.target(), kPeer, kPort, 200, 300, 4000);
  EXPECT_EQ(result.loss(), 0.0);
  EXPECT_GT(*std::max_element(result.rtt_ms.begin(), result.rtt_ms.end()), 600);
  const v1::FaultStatus status = lab.status();
  EXPECT_NEAR(status.achieved(0).median(), 80, 8) << status.DebugString();
  revert_leaves_nothing();
}

TEST_F(NetIngress, TheKernelEndsItAtTheDeadlineByItself) {
  apply(delay(v1::DIRECTION_INGRESS), "f", milliseconds(2500));
  EXPECT_GE(median(lab.net.target(), kPeer), kDelayMs);
  std::this_thread::sleep_for(milliseconds(2500));
  EXPECT_LT(median(lab.net.target(), kPeer), kUndelayedMs);
  EXPECT_THAT(host_qdiscs(), ::testing::HasSubstr("fa17:"));
  lab.engine.tick();
  EXPECT_EQ(qdiscs(), clean);
  EXPECT_EQ(lab.status().residue_size(), 0) << lab.status().DebugString();
}

TEST_F(NetIngress, SeveralFaultsShareTheHostEndAndGoApart) {
  apply(delay(v1::DIRECTION_INGRESS), "a");
  apply(delay(v1::DIRECTION_BOTH, kOtherPeer), "b");
  revert_leaves_nothing("a");
  EXPECT_LT(median(lab.net.target(), kPeer), kUndelayedMs);
  EXPECT_GE(median(lab.net.target(), kOtherPeer), 2 * kDelayMs);
  revert_leaves_nothing("b");
  EXPECT_EQ(qdiscs(), clean);
}

TEST_F(NetIngress, AnotherHookIsAttachedAfterTheTargetsFirstFaultHasGone) {
  apply(delay(v1::DIRECTION_EGRESS, kOtherPeer), "first");
  apply(delay(v1::DIRECTION_EGRESS, kOtherPeer6), "second");
  revert_leaves_nothing("first");
  v1::FaultSpec spec = loss_spec(1.0);
  spec.mutable_loss()->mutable_traffic()->set_direction(v1::DIRECTION_INGRESS);
  apply(spec, "third");
  EXPECT_EQ(NetLab::udp(lab.net.target(), kPeer, kPort, 10).loss(), 1.0);
  EXPECT_EQ(NetLab::udp(lab.net.neighbour(), kPeer, kPort, 10).loss(), 0.0);
  revert_leaves_nothing("third");
  revert_leaves_nothing("second");
}

TEST_F(NetIngress, WithoutAVethShapingIsRefusedWithTheReason) {
  const auto applied = lab.engine.apply(lab.request(delay(v1::DIRECTION_INGRESS, "10.99.0.1")));
  EXPECT_EQ(applied.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(message_of(applied.status()), ::testing::HasSubstr("needs a veth"));
  EXPECT_EQ(qdiscs(), clean);
}

TEST_F(NetIngress, AForeignRootQdiscOnTheHostEndIsRefusedAndLeftAlone) {
  shell("tc -n " + lab.net.peer_netns() + " qdisc add dev eth0 root handle 1: pfifo limit 777");
  const std::string before = qdiscs();
  const auto applied = lab.engine.apply(lab.request(delay(v1::DIRECTION_BOTH)));
  EXPECT_EQ(applied.status().code(), StatusCode::kFailedPrecondition) << applied.status();
  EXPECT_EQ(qdiscs(), before);
  EXPECT_TRUE(lab.journal->unsettled().empty());
  shell("tc -n " + lab.net.peer_netns() + " qdisc del dev eth0 root");
}

}  // namespace
}  // namespace faultline::testing
