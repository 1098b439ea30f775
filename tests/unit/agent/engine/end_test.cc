#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_lab.h"

namespace faultline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

using End = testing::EngineLab;

TEST_F(End, ARevertAnswersWithTheFinalStatus) {
  ASSERT_TRUE(apply("f1").ok());
  const auto response = revert({"f1"}, "halted by ann");
  ASSERT_TRUE(response.ok()) << response.status();
  const v1::FaultStatus& end = response->faults(0);
  EXPECT_EQ(end.state(), v1::FAULT_STATE_ENDED);
  EXPECT_EQ(end.end_reason(), v1::END_REASON_REVERTED);
  EXPECT_EQ(end.end_detail(), "halted by ann");
  EXPECT_TRUE(end.has_ended_at());
  EXPECT_FALSE(end.has_remaining());
  EXPECT_TRUE(end.residue_checked());
  EXPECT_EQ(end.residue_size(), 0);
  EXPECT_THAT(kind->events(), ElementsAre("apply 1", "stop 1", "revert 1", "gone 1"));
}

TEST_F(End, CountersAreThoseAfterTheStop) {
  ASSERT_TRUE(apply("f1").ok());
  const v1::FaultStatus end = reverted("f1");
  EXPECT_EQ(end.counters().injected(), 6u);
  ASSERT_EQ(end.achieved_size(), 1);
  EXPECT_EQ(end.achieved(0).samples(), 6u);
}

TEST_F(End, ARevertIsIdempotent) {
  ASSERT_TRUE(apply("f1").ok());
  const v1::FaultStatus first = reverted("f1");
  const auto again = revert({"f1", "f1"}, "another reason");
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_EQ(again->faults_size(), 2);
  EXPECT_EQ(again->faults(0).SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(again->faults(1).SerializeAsString(), first.SerializeAsString());
  EXPECT_THAT(kind->events(), ElementsAre("apply 1", "stop 1", "revert 1", "gone 1"));
}

TEST_F(End, EveryEffectStopsBeforeAnythingIsTakenAway) {
  ASSERT_TRUE(apply("f1").ok());
  ASSERT_TRUE(apply("f2").ok());
  ASSERT_TRUE(revert({"f2", "f1"}).ok());
  EXPECT_THAT(kind->events(), ElementsAre("apply 1", "apply 2", "stop 2", "stop 1", "revert 2", "gone 2",
                                          "revert 1", "gone 1"));
}

TEST_F(End, RevertAllAnswersForActiveFaultsOnly) {
  ASSERT_TRUE(apply("f1").ok());
  ASSERT_TRUE(apply("f2").ok());
  ASSERT_TRUE(apply("f3").ok());
  reverted("f2");
  const auto response = revert_all();
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->faults_size(), 2);
  EXPECT_EQ(response->faults(0).id(), "f1");
  EXPECT_EQ(response->faults(1).id(), "f3");
  EXPECT_EQ(revert_all()->faults_size(), 0);
}

TEST_F(End, ARevertMustSayWhichOrAllAndNotBoth) {
  ASSERT_TRUE(apply("f1").ok());
  EXPECT_EQ(engine->revert({}).status().code(), StatusCode::kInvalidArgument);
  v1::RevertRequest both;
  both.add_ids("f1");
  both.set_all(true);
  EXPECT_EQ(engine->revert(both).status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(listed(), ElementsAre("f1 active"));
}

TEST_F(End, AnUnknownIdRevertsNothing) {
  ASSERT_TRUE(apply("f1").ok());
  EXPECT_EQ(revert({"f1", "f9"}).status().code(), StatusCode::kNotFound);
  EXPECT_THAT(listed(), ElementsAre("f1 active"));
}

TEST_F(End, WhatAFaultLeavesBehindIsTold) {
  kind->leaves_state = true;
  ASSERT_TRUE(apply("f1").ok());
  const v1::FaultStatus end = reverted("f1");
  EXPECT_EQ(end.state(), v1::FAULT_STATE_ENDED);
  EXPECT_TRUE(end.residue_checked());
  EXPECT_THAT(end.residue(), ElementsAre("left behind: state of fault 1"));
}

TEST_F(End, AFailingRevertIsToldBesideWhatItLeft) {
  kind->no_revert = errno_status(EBUSY, "delete qdisc");
  ASSERT_TRUE(apply("f1").ok());
  const v1::FaultStatus end = reverted("f1");
  EXPECT_EQ(end.state(), v1::FAULT_STATE_ENDED);
  EXPECT_THAT(end.residue(), ElementsAre("could not be removed: delete qdisc: Device or resource busy",
                                         "left behind: state of fault 1"));
}

TEST_F(End, WhatIsMissingIsLookedForTwice) {
  kind->leaves_state = true;
  ASSERT_TRUE(apply("f1").ok());
  kind->short_snapshots = 1;
  EXPECT_THAT(reverted("f1").residue(), ElementsAre("left behind: state of fault 1"));
  kind->leaves_state = false;
  ASSERT_TRUE(apply("f2").ok());
  kind->short_snapshots = 2;
  EXPECT_THAT(reverted("f2").residue(),
              ElementsAre("left behind: state of fault 1", "missing: somebody's own qdisc"));
}

TEST_F(End, ANeighboursStateIsNotResidue) {
  ASSERT_TRUE(apply("f1").ok());
  ASSERT_TRUE(apply("f2").ok());
  EXPECT_EQ(reverted("f1").residue_size(), 0);
  EXPECT_EQ(reverted("f2").residue_size(), 0) << "the neighbour's state was there before and is gone";
}

TEST_F(End, WithoutASnapshotAfterwardsNothingIsProved) {
  kind->snapshots = {ok_status(), make_error(StatusCode::kInternal, "list qdiscs")};
  ASSERT_TRUE(apply("f1").ok());
  const v1::FaultStatus end = reverted("f1");
  EXPECT_FALSE(end.residue_checked());
  EXPECT_EQ(end.residue_size(), 0);
}

TEST_F(End, EndAllEndsEverythingForOneReason) {
  ASSERT_TRUE(apply("f1").ok());
  ASSERT_TRUE(apply("f2").ok());
  reverted("f1");
  engine->end_all(v1::END_REASON_SHUTDOWN, "the agent was told to stop");
  EXPECT_THAT(listed(), ElementsAre("f1 ended", "f2 ended"));
  EXPECT_EQ(reverted("f1").end_reason(), v1::END_REASON_REVERTED);
  EXPECT_EQ(reverted("f2").end_reason(), v1::END_REASON_SHUTDOWN);
  EXPECT_EQ(reverted("f2").end_detail(), "the agent was told to stop");
}

TEST_F(End, TheEnginesEndRevertsWhatIsInForce) {
  ASSERT_TRUE(apply("f1").ok());
  ASSERT_TRUE(apply("f2").ok());
  engine.reset();
  EXPECT_THAT(kind->events(), ElementsAre("apply 1", "apply 2", "stop 1", "stop 2", "revert 1", "gone 1",
                                          "revert 2", "gone 2"));
}

TEST_F(End, SoManyEndedFaultsAreRememberedAndTheOldestGoFirst) {
  restart({.remembered = 2});
  for (const char* id : {"f1", "f2", "f3", "f4"}) {
    ASSERT_TRUE(apply(id).ok());
    reverted(id);
  }
  ASSERT_TRUE(apply("f5").ok());
  EXPECT_THAT(listed(), ElementsAre("f5 active", "f3 ended", "f4 ended"));
  EXPECT_EQ(revert({"f2"}).status().code(), StatusCode::kNotFound);
}

TEST_F(End, NoActiveFaultIsEverForgotten) {
  restart({.remembered = 1});
  for (const char* id : {"f1", "f2", "f3", "f4"}) ASSERT_TRUE(apply(id).ok());
  EXPECT_THAT(listed(), ElementsAre("f1 active", "f2 active", "f3 active", "f4 active"));
  reverted("f2");
  ASSERT_TRUE(apply("f5").ok());
  EXPECT_THAT(listed(), ElementsAre("f1 active", "f3 active", "f4 active", "f5 active", "f2 ended"));
}

TEST_F(End, AFaultThatHasNothingToStandOnEndsWithTheReason) {
  EngineOptions options;
  options.look_every = Nanos(1);
  restart(options);
  ASSERT_TRUE(apply("f1").ok());
  engine->tick();
  EXPECT_THAT(listed(), ElementsAre("f1 active"));
  kind->fallen = make_error(StatusCode::kNotFound, "its interface has gone");
  engine->tick();
  EXPECT_THAT(listed(), ElementsAre("f1 ended"));
  const v1::FaultStatus end = engine->list().front();
  EXPECT_EQ(end.end_reason(), v1::END_REASON_TARGET_GONE);
  EXPECT_EQ(end.end_detail(), "its interface has gone");
  EXPECT_THAT(kind->events(), ElementsAre("apply 1", "stop 1", "revert 1", "gone 1"));
}

}  // namespace
}  // namespace faultline
