#include <gmock/gmock.h>

#include <cmath>

#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

using ::testing::HasSubstr;

v1::FaultSpec duplicate_spec(double probability, std::uint64_t seed = 1) {
  v1::FaultSpec spec = towards_peer<v1::Duplicate>(
      &v1::FaultSpec::mutable_duplicate, [&](auto& d) { d.mutable_packets()->set_probability(probability); });
  spec.set_seed(seed);
  return spec;
}

class NetDuplicate : public TrafficFaultTest {
 protected:
  NetDuplicate() : TrafficFaultTest("duplicate") {}
  bool doubled(const char* peer) { return udp(peer, 20).received == 40; }
};

TEST_F(NetDuplicate, TheShareAskedForArrivesTwiceAndNothingIsLost) {
  apply(duplicate_spec(0.3, 11));
  const UdpResult result = udp(kPeer, 2000, 500, 2000);
  EXPECT_EQ(result.rtt_ms.size(), 2000u);
  const double copies = static_cast<double>(result.received - result.rtt_ms.size());
  // 99.9 % of binomial draws lie within 3.3 standard deviations.
  EXPECT_NEAR(copies / 2000, 0.3, 3.3 * std::sqrt(0.3 * 0.7 / 2000));
  const v1::FaultStatus status = lab.revert();
  EXPECT_EQ(status.counters().matched(), 2000u);
  EXPECT_EQ(static_cast<double>(status.counters().injected()), copies);
  EXPECT_NEAR(status.achieved(0).median(), 100 * copies / 2000, 0.01);
}

TEST_F(NetDuplicate, EachArrivesTwiceNotMore) {
  apply(duplicate_spec(1.0));
  EXPECT_EQ(udp(kPeer, 200).received, 400u);
}

TEST_F(NetDuplicate, AStreamStaysWhole) {
  apply(duplicate_spec(1.0));
  const StreamResult result = NetLab::stream(lab.net.target(), kPeer, kPort, 200'000);
  EXPECT_EQ(result.back, 200'000u);
  EXPECT_EQ(result.wrong, 0u);
}

// Kernels of late 2025 to 7.1 refuse netem beside a netem that duplicates; others take both.
TEST_F(NetDuplicate, BesideADelayItWorksOrIsRefusedClearlyAndDisturbsNothing) {
  const v1::FaultSpec delay = delay_spec(std::chrono::milliseconds(300), {}, kOtherPeer);
  apply(delay, "delay");
  const std::string before = lab.net.network_state();
  const Status second = try_apply(duplicate_spec(1.0), "copies");
  RecordProperty("beside_another", second.ok() ? "works" : message_of(second));
  if (second.ok()) {
    EXPECT_TRUE(doubled(kPeer));
  } else {
    EXPECT_EQ(second.code(), StatusCode::kFailedPrecondition) << second;
    EXPECT_THAT(message_of(second), HasSubstr("no packet-duplicating fault beside any other"));
    expect_nothing_left(before, 1);
    EXPECT_TRUE(untouched(kPeer));
  }
  EXPECT_GE(udp(kOtherPeer, 10).median_ms(), 300);
  lab.revert("delay");
  if (!second.ok()) apply(duplicate_spec(1.0), "copies");
  EXPECT_TRUE(doubled(kPeer));

  const std::string with_copies = lab.net.network_state();
  const Status third = try_apply(delay, "late");
  EXPECT_EQ(third.code(), second.code()) << third;
  if (!third.ok()) expect_nothing_left(with_copies, 1);
  EXPECT_TRUE(doubled(kPeer));
}

// Only netem minds: other faults go beside it on every kernel.
TEST_F(NetDuplicate, BesideALossItWorks) {
  apply(duplicate_spec(1.0), "copies");
  apply(loss_spec(1.0, 1, kOtherPeer), "loss");
  EXPECT_TRUE(doubled(kPeer));
  EXPECT_TRUE(silent(kOtherPeer));
}
}  // namespace
}  // namespace faultline::testing
