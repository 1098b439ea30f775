#include <gtest/gtest.h>

#include <cerrno>

#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

constexpr const char* kMapped = "::ffff:10.99.0.2";

class NetReject : public TrafficFaultTest {
 protected:
  NetReject() : TrafficFaultTest("reject") {}
  int connecting(const char* protocol, const char* peer) {
    return NetLab::connect_errno(lab.net.target(), protocol, peer, kPort);
  }
  int sending(const char* peer) { return NetLab::sendto_errno(lab.net.target(), peer, kPort); }
};

TEST_F(NetReject, SendingAndConnectingFailWithEperm) {
  apply(towards_peer<v1::Reject>(&v1::FaultSpec::mutable_reject));
  EXPECT_EQ(sending(kPeer), EPERM);
  EXPECT_EQ(sending(kMapped), EPERM);
  EXPECT_EQ(connecting("tcp", kPeer), EPERM);
  EXPECT_EQ(connecting("tcp", kMapped), EPERM);
  EXPECT_EQ(connecting("udp", kPeer), EPERM);
  const v1::Counters counters = lab.status().counters();
  EXPECT_EQ(counters.matched(), 5u);
  EXPECT_EQ(counters.injected(), 5u);
  lab.revert();
  EXPECT_EQ(sending(kPeer), 0);
  EXPECT_EQ(connecting("tcp", kPeer), 0);
}

TEST_F(NetReject, OthersAreNotConcerned) {
  apply(towards_peer<v1::Reject>(&v1::FaultSpec::mutable_reject));
  for (const char* peer : {kOtherPeer, kPeer6}) {
    EXPECT_EQ(sending(peer), 0) << peer;
    EXPECT_EQ(connecting("tcp", peer), 0) << peer;
  }
  EXPECT_EQ(NetLab::sendto_errno(lab.net.neighbour(), kPeer, kPort), 0);
  EXPECT_EQ(NetLab::connect_errno(lab.net.neighbour(), "tcp", kPeer, kPort), 0);
}

TEST_F(NetReject, Ipv6ByPortAndProtocol) {
  v1::FaultSpec spec;
  spec.mutable_reject()->mutable_traffic()->add_peers("fd99::/64");
  set_ports(*spec.mutable_reject()->mutable_traffic(), v1::PROTOCOL_UDP, kPort, kPort);
  apply(spec);
  EXPECT_EQ(sending(kPeer6), EPERM);
  EXPECT_EQ(sending(kOtherPeer6), EPERM);
  EXPECT_EQ(connecting("udp", kPeer6), EPERM);
  EXPECT_EQ(connecting("tcp", kPeer6), 0);
  EXPECT_EQ(NetLab::sendto_errno(lab.net.target(), kPeer6, kOtherPort), 0);
  EXPECT_EQ(sending(kPeer), 0);
}

// Of a live connection, the kernel sends again what was refused: the application sees silence, then all of
// it.
TEST_F(NetReject, LiveConnectionsStallAndGoOn) {
  const int open = NetLab::open(lab.net.target(), kPeer, kPort);
  ASSERT_GE(open, 0);
  apply(towards_peer<v1::Reject>(&v1::FaultSpec::mutable_reject));
  EXPECT_EQ(lab.net.target().ask(fmt::format("alive {} 500", open)), "0");
  lab.revert();
  EXPECT_EQ(lab.net.target().ask(fmt::format("alive {} 5000", open)), "1");
  lab.net.target().ask(fmt::format("close {}", open));
}
}  // namespace
}  // namespace faultline::testing
