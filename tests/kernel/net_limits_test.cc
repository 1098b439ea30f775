// How many faults a target takes at once, and what happens to one more.
#include <gmock/gmock.h>

#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr int kMostShaping = 15;
constexpr int kFirstPort = 7200;
constexpr int kEchoPorts = kMostShaping + 1;

class NetLimits : public TrafficFaultTest {
 protected:
  NetLimits() : TrafficFaultTest("delay") {}

  static std::vector<std::string> echo_args() {
    std::vector<std::string> args{"echo"};
    for (int i = 0; i < kEchoPorts; ++i) {
      args.insert(args.end(), {kPeer, std::to_string(kFirstPort + i)});
    }
    return args;
  }
  static double delay_ms(int i) { return 200 + 20 * i; }
  static v1::FaultSpec delay_of(int i) {
    v1::FaultSpec spec = delay_spec(milliseconds(static_cast<int>(delay_ms(i))));
    const auto port = static_cast<std::uint32_t>(kFirstPort + i);
    set_ports(*spec.mutable_delay()->mutable_traffic(), v1::PROTOCOL_UDP, port, port);
    return spec;
  }
  static std::string id_of(int i) { return fmt::format("f{}", i); }
  double least_ms(int i) {
    const UdpResult result = udp(kPeer, 9, 2000, 3000, kFirstPort + i);
    EXPECT_EQ(result.rtt_ms.size(), 9u) << i;
    return *std::min_element(result.rtt_ms.begin(), result.rtt_ms.end());
  }

  LabProcess echo{lab.net.peer_netns(), echo_args()};
};

TEST_F(NetLimits, FifteenShapingFaultsWorkEachOnItsOwnAndTheSixteenthIsRefused) {
  for (int i = 0; i < kMostShaping; ++i) apply(delay_of(i), id_of(i));
  const std::string before = lab.net.network_state();
  const Status more = try_apply(delay_of(kMostShaping), "more");
  EXPECT_EQ(more.code(), StatusCode::kResourceExhausted) << more;
  EXPECT_THAT(message_of(more), HasSubstr("at most 15 shaping faults"));
  expect_nothing_left(before, kMostShaping);
  for (int i = 0; i < kMostShaping; ++i) EXPECT_GE(least_ms(i), delay_ms(i)) << i;
  EXPECT_TRUE(untouched(kPeer, kFirstPort + kMostShaping));
  EXPECT_TRUE(untouched(kOtherPeer));

  // One that shapes nothing needs no band.
  v1::FaultSpec reject = towards_peer<v1::Reject>(&v1::FaultSpec::mutable_reject);
  reject.mutable_reject()->mutable_traffic()->set_protocol(v1::PROTOCOL_TCP);
  apply(reject, "reject");
  EXPECT_EQ(NetLab::connect_errno(lab.net.target(), "tcp", kPeer, kPort), EPERM);

  // Each has had its own delay, by the kernel's samples, and its place is free for another one.
  for (int i = 0; i < kMostShaping; ++i) {
    const v1::FaultStatus status = lab.revert(id_of(i));
    EXPECT_EQ(status.counters().injected(), 9u) << i;
    EXPECT_GE(status.achieved(0).p05(), delay_ms(i)) << i;
    EXPECT_LT(status.achieved(0).p05(), delay_ms(i) + 15) << i;
    EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
    if (i > 0) continue;
    apply(delay_of(kMostShaping), "more");
    EXPECT_GE(least_ms(kMostShaping), delay_ms(kMostShaping));
    EXPECT_TRUE(untouched(kPeer, kFirstPort));
  }
  lab.revert("more");
  lab.revert("reject");
  EXPECT_EQ(lab.net.network_state().find("fa17"), std::string::npos);
}

TEST_F(NetLimits, SixtyFourRulesWorkAndTheNextIsRefused) {
  v1::FaultSpec many = loss_spec(1.0, 1, kPeer);
  for (int i = 0; i < 62; ++i) {
    many.mutable_loss()->mutable_traffic()->add_peers(fmt::format("10.99.0.{}", 11 + 2 * i));
  }
  apply(many, "many");                       // 63
  apply(loss_spec(1.0, 1, kPeer6), "last");  // 64
  const std::string before = lab.net.network_state();
  const Status more = try_apply(loss_spec(1.0, 1, kOtherPeer), "more");
  EXPECT_EQ(more.code(), StatusCode::kResourceExhausted) << more;
  EXPECT_THAT(message_of(more), HasSubstr("65 rules"));
  EXPECT_THAT(message_of(more), HasSubstr("at most 64"));
  expect_nothing_left(before, 2);
  EXPECT_TRUE(silent(kPeer));
  EXPECT_TRUE(silent(kPeer6));
  EXPECT_TRUE(untouched(kOtherPeer));
  lab.revert("last");
  apply(loss_spec(1.0, 1, kOtherPeer), "more");
  EXPECT_TRUE(silent(kOtherPeer));
  EXPECT_TRUE(silent(kPeer));
}

TEST_F(NetLimits, SixtyFiveRulesInOneFaultAreRefused) {
  v1::FaultSpec many = loss_spec(1.0);
  for (int i = 0; i < 64; ++i) {
    many.mutable_loss()->mutable_traffic()->add_peers(fmt::format("192.0.2.{}", 1 + 2 * i));
  }
  const std::string before = lab.net.network_state();
  const Status status = try_apply(many);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(message_of(status), HasSubstr("65 rules"));
  expect_nothing_left(before, 0);
}
}  // namespace
}  // namespace faultline::testing
