#include <gtest/gtest.h>

#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

v1::FaultSpec corrupt_spec(double probability, const char* peer = kPeer) {
  v1::FaultSpec spec;
  spec.mutable_corrupt()->mutable_packets()->set_probability(probability);
  spec.mutable_corrupt()->mutable_traffic()->add_peers(peer);
  spec.set_seed(5);
  return spec;
}

class NetCorrupt : public TrafficFaultTest {
 protected:
  NetCorrupt() : TrafficFaultTest("corrupt") {}
};

// A datagram of the lab is 58 bytes with its link header; a bit turned over in the link's source address, 6
// of them, harms nobody, any other one is found by a checksum (or the frame is for somebody else).
TEST_F(NetCorrupt, DatagramsGetLostToTheirChecksums) {
  apply(corrupt_spec(1.0));
  const UdpResult result = udp(kPeer, 500, 1000);
  EXPECT_EQ(result.refused, 0u);
  EXPECT_GT(result.loss(), 0.80);
  EXPECT_LT(result.loss(), 0.97);
  const v1::FaultStatus status = lab.revert();
  EXPECT_EQ(status.counters().matched(), 500u);
  EXPECT_EQ(status.counters().injected(), 500u);
}

TEST_F(NetCorrupt, OnlyTheShareAskedForIsHarmed) {
  apply(corrupt_spec(0.2));
  const UdpResult result = udp(kPeer, 1000, 1000);
  const v1::FaultStatus status = lab.revert();
  const auto& achieved = status.achieved(0);
  EXPECT_GE(achieved.median(), achieved.tolerated_low());
  EXPECT_LE(achieved.median(), achieved.tolerated_high());
  const double lost = 1000 * result.loss();
  EXPECT_LE(lost, static_cast<double>(status.counters().injected()));
  EXPECT_GE(lost, 0.75 * static_cast<double>(status.counters().injected()));
}

TEST_F(NetCorrupt, TcpGetsTheRightBytesThroughRetransmission) {
  apply(corrupt_spec(0.1));
  const StreamResult result = NetLab::stream(lab.net.target(), kPeer, kPort, 300'000);
  EXPECT_EQ(result.back, 300'000u);
  EXPECT_EQ(result.wrong, 0u);
  EXPECT_GT(result.retransmits, 0u);
  EXPECT_GT(lab.revert().counters().injected(), 0u);
}

TEST_F(NetCorrupt, Ipv6DatagramsGetLost) {
  apply(corrupt_spec(1.0, kPeer6));
  EXPECT_GT(udp(kPeer6, 200, 1000).loss(), 0.6);
  EXPECT_TRUE(untouched(kPeer));
}
}  // namespace
}  // namespace faultline::testing
