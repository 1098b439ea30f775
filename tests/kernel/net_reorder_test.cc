#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

constexpr double kHoldMs = 300;

v1::FaultSpec reorder_spec(std::uint64_t every) {
  return towards_peer<v1::Reorder>(&v1::FaultSpec::mutable_reorder, [&](v1::Reorder& reorder) {
    reorder.mutable_packets()->set_every(every);
    *reorder.mutable_hold() = duration(std::chrono::milliseconds(300));
  });
}

class NetReorder : public TrafficFaultTest {
 protected:
  NetReorder() : TrafficFaultTest("reorder") {}
};

TEST_F(NetReorder, LaterPacketsOvertakeThoseHeldBackAndNothingIsLost) {
  constexpr std::size_t kCount = 200, kEvery = 5;
  apply(reorder_spec(kEvery));
  const UdpResult result = udp(kPeer, kCount, 2000, 2000);
  ASSERT_EQ(result.rtt_ms.size(), kCount);
  EXPECT_EQ(result.received, kCount);
  std::vector<double> arrived_ms;
  for (std::size_t i = 0; i < kCount; ++i) {
    arrived_ms.push_back(static_cast<double>(result.sent_ns[i]) / 1e6 + result.rtt_ms[i]);
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    const bool held = i % kEvery == kEvery - 1;
    EXPECT_EQ(result.rtt_ms[i] >= kHoldMs, held) << "packet " << i << ": " << result.rtt_ms[i] << " ms";
    if (!held || i + 1 == kCount) continue;
    const auto next = static_cast<std::ptrdiff_t>(i + 1);
    EXPECT_LT(*std::min_element(arrived_ms.begin() + next, arrived_ms.end()), arrived_ms[i])
        << "packet " << i;
  }
}

TEST_F(NetReorder, WhatItDidIsReported) {
  apply(reorder_spec(4));
  udp(kPeer, 200, 2000, 1000);
  const v1::FaultStatus status = lab.revert();
  EXPECT_EQ(status.counters().matched(), 200u);
  EXPECT_EQ(status.counters().injected(), 50u);
  ASSERT_EQ(status.achieved_size(), 2);
  EXPECT_EQ(status.achieved(0).name(), "hold");
  EXPECT_EQ(status.achieved(0).samples(), 50u);
  EXPECT_NEAR(status.achieved(0).median(), kHoldMs, 0.05 * kHoldMs);
  EXPECT_EQ(status.achieved(1).median(), 25);
}

TEST_F(NetReorder, AStreamStaysWhole) {
  apply(reorder_spec(10));
  const StreamResult result = NetLab::stream(lab.net.target(), kPeer, kPort, 100'000);
  EXPECT_EQ(result.back, 100'000u);
  EXPECT_EQ(result.wrong, 0u);
}
}  // namespace
}  // namespace faultline::testing
