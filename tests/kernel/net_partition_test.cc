#include <gtest/gtest.h>

#include "agent/target/cgroup.h"
#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

constexpr const char* kTarget = "10.99.0.1";
constexpr int kTargetsPort = 7100;
constexpr std::size_t kCount = 50;

v1::FaultSpec partition_spec(v1::Direction direction = v1::DIRECTION_UNSPECIFIED) {
  return towards_peer<v1::Partition>(&v1::FaultSpec::mutable_partition, [&](v1::Partition& partition) {
    partition.mutable_traffic()->set_direction(direction);
  });
}

// The target asks its peer and is asked by it; both namespaces' own counters tell what arrived.
class NetPartition : public TrafficFaultTest {
 protected:
  NetPartition() : TrafficFaultTest("partition") {}

  struct Seen {
    UdpResult asking;           // the target's questions
    UdpResult asked;            // its peer's
    std::uint64_t at_peer = 0;  // datagrams that got to a socket there
    std::uint64_t at_target = 0;
  };
  Seen look() {
    const auto datagrams = [](const std::string& netns) { return snmp(netns, "Udp", "InDatagrams"); };
    Seen seen;
    const std::uint64_t peer = datagrams(lab.net.peer_netns());
    seen.asking = udp(kPeer, kCount, 2000, 500);
    seen.at_peer = datagrams(lab.net.peer_netns()) - peer;
    const std::uint64_t target = datagrams(lab.net.netns());
    seen.asked = NetLab::udp(outside, kTarget, kTargetsPort, kCount, 2000, 500);
    seen.at_target = datagrams(lab.net.netns()) - target;
    EXPECT_EQ(seen.asking.refused, 0u) << "the sender sees success";
    return seen;
  }

  LabProcess server{lab.net.netns(),
                    {"echo-in", lab.net.cgroup_path(), kTarget, std::to_string(kTargetsPort)}};
  LabProcess outside{lab.net.peer_netns(), {"client", find_cgroup_root().value()}};
};

TEST_F(NetPartition, NothingGetsThroughInEitherDirection) {
  const Seen before = look();
  EXPECT_EQ(before.at_peer, kCount);
  EXPECT_EQ(before.at_target, kCount);
  EXPECT_EQ(before.asked.received, kCount);
  apply(partition_spec());
  const Seen seen = look();
  EXPECT_EQ(seen.at_peer, 0u);
  EXPECT_EQ(seen.at_target, 0u);
  EXPECT_EQ(seen.asking.received + seen.asked.received, 0u);
  EXPECT_TRUE(untouched(kOtherPeer));
  const v1::FaultStatus status = lab.revert();
  EXPECT_EQ(status.counters().matched(), 2 * kCount);
  EXPECT_EQ(status.counters().injected(), 2 * kCount);
  EXPECT_EQ(status.achieved(0).median(), 100);
  EXPECT_EQ(look().asked.received, kCount);
}

TEST_F(NetPartition, OneWayOut) {
  apply(partition_spec(v1::DIRECTION_EGRESS));
  const Seen seen = look();
  EXPECT_EQ(seen.at_peer, 0u);
  EXPECT_EQ(seen.at_target, kCount);
  EXPECT_EQ(seen.asked.received, 0u) << "the answers do not leave";
}

TEST_F(NetPartition, OneWayIn) {
  const std::string before = lab.net.network_state();
  apply(partition_spec(v1::DIRECTION_INGRESS));
  EXPECT_EQ(lab.net.network_state(), before) << "needs no qdisc";
  const Seen seen = look();
  EXPECT_EQ(seen.at_peer, kCount);
  EXPECT_EQ(seen.asking.received, 0u) << "the answers do not arrive";
  EXPECT_EQ(seen.at_target, 0u);
}

TEST_F(NetPartition, ConnectingGetsNoAnswerRatherThanAnError) {
  const int open = NetLab::open(lab.net.target(), kPeer, kPort);
  ASSERT_GE(open, 0);
  apply(partition_spec());
  EXPECT_EQ(NetLab::connect_errno(lab.net.target(), "tcp", kPeer, kPort, 1500), -1);
  EXPECT_EQ(lab.net.target().ask(fmt::format("alive {} 500", open)), "0");
  lab.revert();
  // The byte sent meanwhile comes first: the connection has lived on.
  EXPECT_EQ(lab.net.target().ask(fmt::format("alive {} 5000", open)), "1");
  lab.net.target().ask(fmt::format("close {}", open));
}
}  // namespace
}  // namespace faultline::testing
