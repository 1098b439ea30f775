#include <gtest/gtest.h>

#include <cmath>

#include "bpf/abi/dice.h"
#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

class NetLoss : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = lab.kinds[1]->supported();
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
  }
  void apply(const v1::FaultSpec& spec) {
    const auto applied = lab.engine.apply(lab.request(spec));
    ASSERT_TRUE(applied.ok()) << applied.status();
  }

  FaultLab lab;
};

TEST_F(NetLoss, TheShareLostIsTheShareAskedFor) {
  apply(loss_spec(0.10, 7));
  const UdpResult result = NetLab::udp(lab.net.target(), kPeer, kPort, 4000, 200, 2000);
  // 99.9 % of binomial draws lie within 3.3 standard deviations.
  EXPECT_NEAR(result.loss(), 0.10, 3.3 * std::sqrt(0.10 * 0.90 / 4000));
  const v1::FaultStatus status = lab.revert();
  EXPECT_NEAR(status.achieved(0).median(), result.loss() * 100, 0.1);
}

TEST_F(NetLoss, TheSenderSeesSuccess) {
  apply(loss_spec(1.0));
  const UdpResult result = NetLab::udp(lab.net.target(), kPeer, kPort, 50);
  EXPECT_EQ(result.refused, 0u);
  EXPECT_TRUE(result.rtt_ms.empty());
}

TEST_F(NetLoss, OtherPeersAndNeighboursLoseNothing) {
  apply(loss_spec(1.0));
  EXPECT_EQ(NetLab::udp(lab.net.target(), kOtherPeer, kPort, 50, 2000, 2000).rtt_ms.size(), 50u);
  EXPECT_EQ(NetLab::udp(lab.net.neighbour(), kPeer, kPort, 50, 2000, 2000).rtt_ms.size(), 50u);
}

TEST_F(NetLoss, ASeedDecidesEveryPacketInAdvance) {
  constexpr std::uint64_t kSeed = 4711;
  apply(loss_spec(0.3, kSeed));
  const UdpResult result = NetLab::udp(lab.net.target(), kPeer, kPort, 500, 500, 2000);
  for (std::uint64_t i = 0; i < 500; ++i) {
    const bool lost = fl_dice(kSeed, i) < 0.3 * 4294967296.0;
    ASSERT_EQ(result.answered[i], !lost) << "packet " << i;
  }
}

}  // namespace
}  // namespace faultline::testing
