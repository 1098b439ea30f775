#include <gtest/gtest.h>

#include <cerrno>

#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

constexpr const char* kMapped = "::ffff:10.99.0.2";

v1::FaultSpec connect_error_spec(const std::string& error, const char* peer = kPeer) {
  v1::FaultSpec spec;
  spec.mutable_connect_error()->set_error(error);
  spec.mutable_connect_error()->mutable_traffic()->add_peers(peer);
  return spec;
}

class NetConnectError : public TrafficFaultTest {
 protected:
  NetConnectError() : TrafficFaultTest("connect-error") {}
  int connecting(const char* peer, const char* protocol = "tcp", int port = kPort) {
    return NetLab::connect_errno(lab.net.target(), protocol, peer, port);
  }
};

TEST_F(NetConnectError, EachErrorIsWhatConnectSays) {
  const std::pair<const char*, int> errors[] = {{"ECONNREFUSED", ECONNREFUSED},
                                                {"ETIMEDOUT", ETIMEDOUT},
                                                {"EHOSTUNREACH", EHOSTUNREACH},
                                                {"ENETUNREACH", ENETUNREACH},
                                                {"ECONNRESET", ECONNRESET},
                                                {"EADDRNOTAVAIL", EADDRNOTAVAIL},
                                                {"EACCES", EACCES}};
  for (const auto& [name, number] : errors) {
    apply(connect_error_spec(name), name);
    EXPECT_EQ(connecting(kPeer), number) << name;
    EXPECT_EQ(connecting(kMapped), number) << name;
    EXPECT_EQ(connecting(kPeer, "udp"), number) << name;
    const v1::FaultStatus status = lab.revert(name);
    EXPECT_EQ(status.counters().injected(), 3u) << name;
    EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
  }
  EXPECT_EQ(connecting(kPeer), 0);
}

TEST_F(NetConnectError, Ipv6) {
  apply(connect_error_spec("EHOSTUNREACH", kPeer6));
  EXPECT_EQ(connecting(kPeer6), EHOSTUNREACH);
  EXPECT_EQ(connecting(kPeer6, "udp"), EHOSTUNREACH);
  EXPECT_EQ(connecting(kOtherPeer6), 0);
  EXPECT_EQ(connecting(kPeer), 0);
}

TEST_F(NetConnectError, NobodyElseAndNothingElseIsConcerned) {
  const std::string before = lab.net.network_state();
  const int open = NetLab::open(lab.net.target(), kPeer, kPort);
  apply(connect_error_spec("ECONNREFUSED"));
  EXPECT_EQ(lab.net.network_state(), before) << "needs no qdisc";
  EXPECT_EQ(connecting(kOtherPeer), 0);
  EXPECT_EQ(NetLab::connect_errno(lab.net.neighbour(), "tcp", kPeer, kPort), 0);
  EXPECT_EQ(lab.net.target().ask(fmt::format("alive {} 2000", open)), "1") << "connected before";
  EXPECT_EQ(NetLab::sendto_errno(lab.net.target(), kPeer, kPort), 0) << "no connect() at all";
  lab.net.target().ask(fmt::format("close {}", open));
}

TEST_F(NetConnectError, ByPortAndProtocol) {
  v1::FaultSpec spec = connect_error_spec("ECONNREFUSED");
  set_ports(*spec.mutable_connect_error()->mutable_traffic(), v1::PROTOCOL_TCP, kOtherPort, kOtherPort);
  apply(spec);
  EXPECT_EQ(connecting(kPeer, "tcp", kOtherPort), ECONNREFUSED);
  EXPECT_EQ(connecting(kPeer, "tcp", kPort), 0);
  EXPECT_EQ(connecting(kPeer, "udp", kOtherPort), 0);
}

TEST_F(NetConnectError, AShareOfTheAttempts) {
  v1::FaultSpec spec = connect_error_spec("ECONNREFUSED");
  spec.mutable_connect_error()->mutable_traffic()->set_share(0.4);
  spec.set_seed(3);
  apply(spec);
  int failed = 0;
  for (int i = 0; i < 200; ++i) failed += connecting(kPeer, "udp") == ECONNREFUSED;
  EXPECT_NEAR(failed, 80, 23);  // 99.9 % of binomial draws
  EXPECT_EQ(lab.revert().counters().injected(), static_cast<std::uint64_t>(failed));
}
}  // namespace
}  // namespace faultline::testing
