#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_lab.h"

namespace faultline {
namespace {

using testing::apply_request;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

using Apply = testing::EngineLab;

TEST_F(Apply, PutsTheFaultInForceAndSaysSo) {
  const WallTime before = wall_now();
  const auto response = engine->apply(apply_request("f1", 10s));
  ASSERT_TRUE(response.ok()) << response.status();
  const v1::FaultStatus& fault = response->fault();
  EXPECT_EQ(fault.id(), "f1");
  EXPECT_EQ(fault.kind(), "delay");
  EXPECT_EQ(fault.target(), "cgroup:/app");
  EXPECT_EQ(fault.resolved_target(), "cgroup /app, 1 process");
  EXPECT_EQ(fault.mechanism(), "in memory");
  EXPECT_EQ(fault.state(), v1::FAULT_STATE_ACTIVE);
  EXPECT_EQ(fault.end_reason(), v1::END_REASON_UNSPECIFIED);
  EXPECT_EQ(fault.counters().evaluated(), 20u);
  EXPECT_EQ(fault.counters().injected(), 5u);
  EXPECT_EQ(fault.achieved(0).name(), "latency");
  EXPECT_FALSE(fault.residue_checked());
  EXPECT_FALSE(fault.has_ended_at());
  using google::protobuf::util::TimeUtil;
  const Nanos left(TimeUtil::DurationToNanoseconds(fault.remaining()));
  EXPECT_LE(left, 10s);
  EXPECT_GT(left, 5s);
  const Nanos effective(TimeUtil::TimestampToNanoseconds(fault.effective_at()));
  EXPECT_GE(effective, std::chrono::duration_cast<Nanos>(before.time_since_epoch()));
  EXPECT_LE(effective, std::chrono::duration_cast<Nanos>(wall_now().time_since_epoch()));
  EXPECT_FALSE(response->has_plan()) << "only a dry run reads what it takes to tell one";
  EXPECT_THAT(listed(), ElementsAre("f1 active"));
}

TEST_F(Apply, ADryRunPlansAndTouchesNothing) {
  auto request = apply_request("f1", 10s);
  request.set_dry_run(true);
  const auto response = engine->apply(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_FALSE(response->has_fault());
  EXPECT_EQ(response->plan().kind(), "delay");
  EXPECT_EQ(response->plan().resolved_target(), "cgroup /app, 1 process");
  EXPECT_EQ(response->plan().mechanism(), "in memory");
  EXPECT_THAT(response->plan().steps(), ElementsAre("read /app", "then inject"));
  EXPECT_EQ(kind->applied(), 0u);
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(Apply, ADryRunFailsWhereThePlanDoes) {
  auto request = apply_request("f1", 10s);
  request.set_dry_run(true);
  kind->no_plan = make_error(StatusCode::kFailedPrecondition, "a foreign root qdisc");
  EXPECT_EQ(engine->apply(request).status(), kind->no_plan);
  EXPECT_EQ(kind->applied(), 0u);
}

TEST_F(Apply, RefusesBeforeAnythingIsTouched) {
  EXPECT_EQ(apply("no spaces").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(apply("f1", 2h).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(apply("f1", 1h, 2min).code(), StatusCode::kInvalidArgument);

  auto unknown_kind = apply_request("f1", 1s);
  unknown_kind.mutable_spec()->mutable_loss();
  EXPECT_EQ(engine->apply(unknown_kind).status().code(), StatusCode::kInvalidArgument);
  unknown_kind.clear_spec();
  EXPECT_EQ(engine->apply(unknown_kind).status().code(), StatusCode::kInvalidArgument);

  auto no_target = apply_request("f1", 1s);
  no_target.set_target("cgroup:/gone");
  EXPECT_EQ(engine->apply(no_target).status().code(), StatusCode::kNotFound);
  no_target.set_target("cgroup:/");
  EXPECT_EQ(engine->apply(no_target).status().code(), StatusCode::kPermissionDenied);

  kind->bad_values = invalid_argument("delay: latency must be above zero");
  EXPECT_EQ(apply("f1"), kind->bad_values);
  kind->bad_values = ok_status();
  kind->unsupported = make_error(StatusCode::kUnimplemented, "no sch_netem");
  EXPECT_EQ(apply("f1"), kind->unsupported);

  EXPECT_EQ(kind->applied(), 0u);
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(Apply, AnErrorLeavesNothingAndTheIdFree) {
  kind->no_apply = make_error(StatusCode::kInternal, "add netem: no memory");
  EXPECT_EQ(apply("f1"), kind->no_apply);
  EXPECT_THAT(listed(), IsEmpty());
  EXPECT_EQ(revert({"f1"}).status().code(), StatusCode::kNotFound);
  kind->no_apply = ok_status();
  EXPECT_TRUE(apply("f1").ok());
}

TEST_F(Apply, WithoutASnapshotToCompareWithThereIsNoFault) {
  kind->snapshots = {make_error(StatusCode::kInternal, "list qdiscs")};
  EXPECT_EQ(message_of(apply("f1")), "list qdiscs");
  EXPECT_EQ(kind->applied(), 0u);
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(Apply, AnIdInForceIsTaken) {
  ASSERT_TRUE(apply("f1").ok());
  EXPECT_EQ(apply("f1").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(kind->applied(), 1u);
  EXPECT_THAT(listed(), ElementsAre("f1 active"));
}

TEST_F(Apply, AnIdComesBackOnceItsFaultHasEnded) {
  ASSERT_TRUE(apply("f1").ok());
  reverted("f1");
  ASSERT_TRUE(apply("f1").ok());
  EXPECT_THAT(listed(), ElementsAre("f1 active", "f1 ended"));
  EXPECT_EQ(reverted("f1").state(), v1::FAULT_STATE_ENDED);
  EXPECT_EQ(kind->in_force(), 0u) << "the revert meant the newer of the two";
}

TEST_F(Apply, FaultsOnOneTargetStandBesideEachOther) {
  for (const char* id : {"f1", "f2", "f3"}) ASSERT_TRUE(apply(id).ok());
  EXPECT_THAT(listed(), ElementsAre("f1 active", "f2 active", "f3 active"));
  EXPECT_EQ(reverted("f2").residue_size(), 0);
  EXPECT_THAT(listed(), ElementsAre("f1 active", "f3 active", "f2 ended"));
}

TEST_F(Apply, CapabilitiesTellWhatAndHowAndWhyNot) {
  restart({.max_duration = 30min, .max_lease = 5s});
  auto capabilities = engine->capabilities();
  ASSERT_EQ(capabilities.kinds_size(), 1);
  EXPECT_EQ(capabilities.kinds(0).kind(), "delay");
  EXPECT_TRUE(capabilities.kinds(0).supported());
  EXPECT_EQ(capabilities.kinds(0).mechanism(), "in memory");
  EXPECT_EQ(capabilities.kinds(0).reason(), "");
  ASSERT_EQ(capabilities.kinds(0).limits_size(), 1);
  EXPECT_EQ(capabilities.kinds(0).limits(0), "only a fake");
  EXPECT_EQ(capabilities.max_duration().seconds(), 1800);
  EXPECT_EQ(capabilities.max_lease().seconds(), 5);
  EXPECT_EQ(capabilities.cgroup_root(), tree.root());
  EXPECT_FALSE(capabilities.kernel_release().empty());
  kind->unsupported = make_error(StatusCode::kUnimplemented, "no sch_netem");
  capabilities = engine->capabilities();
  EXPECT_FALSE(capabilities.kinds(0).supported());
  EXPECT_EQ(capabilities.kinds(0).reason(), "no sch_netem");
  EXPECT_EQ(capabilities.kinds(0).limits_size(), 0);
}

}  // namespace
}  // namespace faultline
