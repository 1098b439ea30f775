#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_lab.h"

namespace faultline {
namespace {

using testing::apply_request;
using ::testing::ElementsAre;
using namespace std::chrono_literals;

using Lease = testing::EngineLab;

TEST_F(Lease, IsTheFirstDeadlineAndTheDurationTheLast) {
  const MonoTime before = mono_now();
  ASSERT_TRUE(apply("f1", 10min, 5s).ok());
  const MonoTime after = mono_now();
  ASSERT_EQ(kind->deadlines(1).size(), 2u);
  EXPECT_GE(kind->deadlines(1)[1], before + 5s);
  EXPECT_LE(kind->deadlines(1)[1], after + 5s);
}

TEST_F(Lease, CountsFromWhenTheFaultIsInForce) {
  ASSERT_TRUE(apply("f1", 10min, 5s).ok());
  const auto deadlines = kind->deadlines(1);
  ASSERT_EQ(deadlines.size(), 2u);
  EXPECT_GT(deadlines[1], deadlines[0]) << "the time that the apply took is not taken from the lease";
}

TEST_F(Lease, IsTheDurationWhereNoneIsGivenOrItIsLonger) {
  const MonoTime before = mono_now();
  ASSERT_TRUE(apply("f1", 10min).ok());
  ASSERT_TRUE(apply("f2", 10s, 20s).ok());
  const MonoTime after = mono_now();
  EXPECT_GE(kind->deadlines(1)[1], before + 10min);
  EXPECT_LE(kind->deadlines(1)[1], after + 10min);
  EXPECT_GE(kind->deadlines(2)[1], before + 10s);
  EXPECT_LE(kind->deadlines(2)[1], after + 10s);
}

TEST_F(Lease, ARenewalMovesTheDeadline) {
  ASSERT_TRUE(apply("f1", 10min, 5s).ok());
  const MonoTime before = mono_now();
  const auto response = renew({"f1"}, 30s);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(kind->deadlines(1).size(), 3u);
  EXPECT_GE(kind->deadlines(1)[2], before + 30s);
  EXPECT_LE(kind->deadlines(1)[2], mono_now() + 30s);
  const auto remaining = google::protobuf::util::TimeUtil::DurationToSeconds(response->faults(0).remaining());
  EXPECT_GE(remaining, 20);
  EXPECT_LE(remaining, 30);
}

TEST_F(Lease, ARenewalMayShortenIt) {
  ASSERT_TRUE(apply("f1", 10min).ok());
  ASSERT_TRUE(renew({"f1"}, 1s).ok());
  EXPECT_LE(kind->deadlines(1)[2], mono_now() + 1s);
}

TEST_F(Lease, ARenewalNeverGoesBeyondTheHardEnd) {
  ASSERT_TRUE(apply("f1", 8s, 5s).ok());
  const MonoTime hard_end = kind->deadlines(1)[1] + 3s;  // both count from the same instant
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(renew({"f1"}, 1min).ok());
    EXPECT_EQ(kind->deadlines(1).back(), hard_end);
  }
}

TEST_F(Lease, ARenewalAfterTheDeadlineDoesNotResurrect) {
  ASSERT_TRUE(apply("f1", 10min, 20ms).ok());
  std::this_thread::sleep_for(40ms);
  const auto response = renew({"f1"}, 30s);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(kind->deadlines(1).size(), 2u) << "the kernel was told nothing";
  EXPECT_EQ(response->faults(0).remaining().seconds(), 0);
  EXPECT_EQ(response->faults(0).remaining().nanos(), 0);
  engine->tick();
  EXPECT_EQ(reverted("f1").end_reason(), v1::END_REASON_LEASE);
}

TEST_F(Lease, ARenewalOfAnEndedFaultAnswersWithItsEnd) {
  ASSERT_TRUE(apply("f1").ok());
  ASSERT_TRUE(apply("f2").ok());
  const v1::FaultStatus end = reverted("f1");
  const auto response = renew({"f2", "f1"}, 30s);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->faults_size(), 2);
  EXPECT_EQ(response->faults(0).id(), "f2");
  EXPECT_EQ(response->faults(0).state(), v1::FAULT_STATE_ACTIVE);
  EXPECT_EQ(response->faults(1).SerializeAsString(), end.SerializeAsString());
  EXPECT_EQ(kind->deadlines(1).size(), 2u);
}

TEST_F(Lease, ARenewalWithAnUnknownIdOrABadLeaseChangesNothing) {
  ASSERT_TRUE(apply("f1", 10min, 5s).ok());
  EXPECT_EQ(renew({"f1", "f9"}, 30s).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(renew({"f1"}, 2min).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(renew({"f1"}, 0s).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(kind->deadlines(1).size(), 2u);
}

TEST_F(Lease, TickEndsWhatWasNotRenewedAndSaysWhichEndCame) {
  ASSERT_TRUE(apply("unrenewed", 10min, 20ms).ok());
  ASSERT_TRUE(apply("over", 20ms).ok());
  ASSERT_TRUE(apply("over-with-lease", 20ms, 20ms).ok());
  ASSERT_TRUE(apply("going-on", 10min, 1min).ok());
  std::this_thread::sleep_for(40ms);
  engine->tick();
  EXPECT_THAT(listed(),
              ElementsAre("going-on active", "unrenewed ended", "over ended", "over-with-lease ended"));
  EXPECT_EQ(reverted("unrenewed").end_reason(), v1::END_REASON_LEASE);
  EXPECT_EQ(reverted("over").end_reason(), v1::END_REASON_DURATION);
  EXPECT_EQ(reverted("over-with-lease").end_reason(), v1::END_REASON_DURATION);
}

TEST_F(Lease, ARenewedFaultThatRunsOutEndsByItsDuration) {
  ASSERT_TRUE(apply("f1", 500ms, 400ms).ok());
  ASSERT_TRUE(renew({"f1"}, 30s).ok());
  std::this_thread::sleep_for(520ms);
  engine->tick();
  EXPECT_EQ(reverted("f1").end_reason(), v1::END_REASON_DURATION);
}

TEST_F(Lease, TickLeavesAloneWhatStillHasTime) {
  ASSERT_TRUE(apply("f1", 10min, 1min).ok());
  engine->tick();
  EXPECT_THAT(listed(), ElementsAre("f1 active"));
  EXPECT_THAT(kind->events(), ElementsAre("apply 1"));
}

TEST_F(Lease, TickEndsFaultsWhoseTargetHasGone) {
  tree.put("/other", {process.pid()});
  auto other = apply_request("other", 10min);
  other.set_target("cgroup:/other");
  ASSERT_TRUE(engine->apply(other).ok());
  ASSERT_TRUE(apply("f1").ok());
  tree.remove("/app");
  engine->tick();
  EXPECT_THAT(listed(), ElementsAre("other active", "f1 ended"));
  const v1::FaultStatus end = reverted("f1");
  EXPECT_EQ(end.end_reason(), v1::END_REASON_TARGET_GONE);
  EXPECT_EQ(end.end_detail(), "the target's cgroup has vanished");
}

}  // namespace
}  // namespace faultline
