#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_lab.h"

namespace faultline {
namespace {

using google::protobuf::util::TimeUtil;
using testing::apply_request;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

// Faults that are armed now and start later.
class Start : public testing::EngineLab {
 protected:
  static google::protobuf::Timestamp in(Nanos ahead) {
    const auto now = std::chrono::duration_cast<Nanos>(wall_now().time_since_epoch());
    return TimeUtil::NanosecondsToTimestamp((now + ahead).count());
  }
  static v1::ApplyRequest request(Nanos ahead, Nanos duration, Nanos lease = Nanos::zero()) {
    v1::ApplyRequest request = apply_request("f1", duration, lease);
    *request.mutable_start_at() = in(ahead);
    return request;
  }
  StatusOr<v1::FaultStatus> arm(Nanos ahead, Nanos duration = 1h, Nanos lease = Nanos::zero()) {
    FL_ASSIGN_OR_RETURN(const auto response, engine->apply(request(ahead, duration, lease)));
    return response.fault();
  }
};

TEST_F(Start, AnArmedFaultIsToldOfAsArmedUntilItStarts) {
  const auto fault = arm(60ms);
  ASSERT_TRUE(fault.ok()) << fault.status();
  EXPECT_EQ(fault->state(), v1::FAULT_STATE_ARMED);
  EXPECT_THAT(listed(), ElementsAre("f1 armed"));
  EXPECT_EQ(renew({"f1"}, 30s)->faults(0).state(), v1::FAULT_STATE_ARMED);
  std::this_thread::sleep_for(70ms);
  EXPECT_THAT(listed(), ElementsAre("f1 active"));
  EXPECT_EQ(renew({"f1"}, 30s)->faults(0).state(), v1::FAULT_STATE_ACTIVE);
  EXPECT_EQ(engine->list()[0].effective_at(), fault->effective_at());
}

TEST_F(Start, TheKernelIsToldTheStartByItsOwnClock) {
  const auto before = request(10s, 1h);
  const MonoTime asked = mono_now() + 10s;
  const auto response = engine->apply(before);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_NEAR(std::chrono::duration<double>(kind->start(1) - asked).count(), 0, 0.05);
  EXPECT_EQ(TimeUtil::TimestampToNanoseconds(response->fault().effective_at()),
            TimeUtil::TimestampToNanoseconds(before.start_at()));
}

TEST_F(Start, TheDurationCountsFromTheStart) {
  ASSERT_TRUE(arm(10s, 20s).ok());
  EXPECT_EQ(kind->deadlines(1).back(), kind->start(1) + 20s);
}

TEST_F(Start, TheLeaseCountsFromNowAndTheHardEndFromTheStart) {
  const MonoTime before = mono_now();
  ASSERT_TRUE(arm(10s, 20s, 5s).ok());
  EXPECT_GE(kind->deadlines(1).back(), before + 5s);
  EXPECT_LE(kind->deadlines(1).back(), mono_now() + 5s);
  ASSERT_TRUE(renew({"f1"}, 1min).ok());
  EXPECT_EQ(kind->deadlines(1).back(), kind->start(1) + 20s);
}

TEST_F(Start, AnArmedFaultThatNobodyRenewsNeverStarts) {
  ASSERT_TRUE(arm(10s, 20s, 20ms).ok());
  std::this_thread::sleep_for(30ms);
  engine->tick();
  const v1::FaultStatus end = reverted("f1");
  EXPECT_EQ(end.end_reason(), v1::END_REASON_LEASE);
  EXPECT_FALSE(end.has_effective_at());
  EXPECT_TRUE(end.has_ended_at());
}

TEST_F(Start, AnArmedFaultCanBeReverted) {
  ASSERT_TRUE(arm(10s).ok());
  const v1::FaultStatus end = reverted("f1");
  EXPECT_EQ(end.state(), v1::FAULT_STATE_ENDED);
  EXPECT_EQ(end.end_reason(), v1::END_REASON_REVERTED);
  EXPECT_FALSE(end.has_effective_at()) << "it never was in force";
  EXPECT_TRUE(end.residue_checked());
  EXPECT_EQ(end.residue_size(), 0);
}

TEST_F(Start, AStartThatHasJustPassedMeansAtOnce) {
  const WallTime before = wall_now();
  const auto fault = arm(-500ms, 10s);
  ASSERT_TRUE(fault.ok()) << fault.status();
  EXPECT_EQ(fault->state(), v1::FAULT_STATE_ACTIVE);
  EXPECT_GE(TimeUtil::TimestampToNanoseconds(fault->effective_at()),
            std::chrono::duration_cast<Nanos>(before.time_since_epoch()).count());
  EXPECT_GT(kind->deadlines(1).back(), mono_now() + 9s) << "the full duration, from when it is in force";
}

TEST_F(Start, ADryRunRefusesAStartThatTheApplyWould) {
  auto late = request(-2s, 10s);
  EXPECT_THAT(message_of(engine->apply(late).status()), HasSubstr("start_at is 2."));
  late.set_dry_run(true);
  EXPECT_EQ(engine->apply(late).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(arm(11min).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(kind->applied(), 0u);
}

TEST_F(Start, AnArmedFaultEndsWithItsTarget) {
  ASSERT_TRUE(arm(10s).ok());
  tree.remove("/app");
  engine->tick();
  EXPECT_EQ(reverted("f1").end_reason(), v1::END_REASON_TARGET_GONE);
}

}  // namespace
}  // namespace faultline
