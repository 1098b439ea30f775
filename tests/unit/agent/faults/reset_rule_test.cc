#include "agent/faults/reset_rule.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

namespace faultline {
namespace {

using google::protobuf::util::TimeUtil;
using std::chrono::milliseconds;

v1::FaultSpec spec(std::int64_t every_ms = 0) {
  v1::FaultSpec spec;
  spec.mutable_reset();
  if (every_ms != 0) *spec.mutable_reset()->mutable_every() = TimeUtil::MillisecondsToDuration(every_ms);
  return spec;
}

std::string refusal(const v1::FaultSpec& spec) {
  const auto rule = to_reset_rule(spec);
  EXPECT_EQ(rule.status().code(), StatusCode::kInvalidArgument) << spec.ShortDebugString();
  return message_of(rule.status());
}

TEST(ResetRule, CarriesTheFilterOver) {
  v1::FaultSpec message = spec(500);
  v1::NetworkFilter& traffic = *message.mutable_reset()->mutable_traffic();
  traffic.add_peers("10.0.0.0/8");
  traffic.add_except("10.0.0.1");
  for (auto* range : {traffic.add_ports(), traffic.add_local_ports()})
    range->set_first(80), range->set_last(90);
  traffic.set_share(0.5);
  message.set_seed(3);
  const auto rule = to_reset_rule(message);
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ(rule->match.peers.size(), 1u);
  EXPECT_EQ(to_string(rule->match.except.at(0)), "10.0.0.1/32");
  EXPECT_EQ(rule->match.ports.at(0).last, 90);
  EXPECT_EQ(rule->match.local_ports.at(0).first, 80);
  EXPECT_EQ(rule->share, 1ull << 31);
  EXPECT_EQ(rule->every, milliseconds(500));
  EXPECT_EQ(describe_reset(message), "50 % of them are reset, and again every 500 ms");
  EXPECT_EQ(describe_reset(spec()), "they are reset");
}

TEST(ResetRule, RefusesWhatIsNotAboutTcpConnections) {
  v1::FaultSpec message = spec();
  message.mutable_reset()->mutable_traffic()->set_protocol(v1::PROTOCOL_UDP);
  EXPECT_EQ(refusal(message), "reset: only TCP connections can be reset");
  message = spec();
  message.mutable_reset()->mutable_traffic()->set_direction(v1::DIRECTION_INGRESS);
  EXPECT_EQ(refusal(message), "reset: a connection is reset as a whole; leave the direction out");
  for (const auto direction : {v1::DIRECTION_EGRESS, v1::DIRECTION_BOTH}) {
    message.mutable_reset()->mutable_traffic()->set_direction(direction);
    EXPECT_TRUE(to_reset_rule(message).ok());
  }
}

TEST(ResetRule, RefusesBadValuesAndNamesThem) {
  EXPECT_EQ(refusal(spec(9)), "reset: every must be from 10 ms to 1 h");
  EXPECT_EQ(refusal(spec(3'600'001)), "reset: every must be from 10 ms to 1 h");
  v1::FaultSpec message = spec();
  message.mutable_reset()->mutable_traffic()->set_share(0);
  EXPECT_NE(refusal(message).find("share must be above 0 and at most 1"), std::string::npos);
  message = spec();
  message.mutable_pulse();
  EXPECT_EQ(refusal(message), "pulse: on must be from 1 ms to 1 h");
  message = spec();
  message.mutable_reset()->mutable_traffic()->add_except("10.0.0.1/8");
  EXPECT_NE(refusal(message).find("10.0.0.1/8"), std::string::npos);
}

TEST(ResetRule, RoundsAreCountedFromTheStart) {
  const MonoTime start{milliseconds(1000)};
  const auto next = [&](int every_ms, int now_ms) {
    return next_round(start, milliseconds(every_ms), MonoTime(milliseconds(now_ms)));
  };
  EXPECT_EQ(next(0, 999), start);
  EXPECT_EQ(next(0, 1000), std::nullopt);
  EXPECT_EQ(next(100, 0), start);
  EXPECT_EQ(next(100, 1000), start + milliseconds(100));
  EXPECT_EQ(next(100, 1099), start + milliseconds(100));
  EXPECT_EQ(next(100, 1100), start + milliseconds(200));
  EXPECT_EQ(next(100, 5050), start + milliseconds(4100)) << "what was missed is not made up for";
}

}  // namespace
}  // namespace faultline
