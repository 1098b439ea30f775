// Faults that are armed first and start at one moment.
#include <gtest/gtest.h>

#include "controller/experiment/runner.h"
#include "tests/unit/controller/runner/run_lab.h"

namespace faultline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::RunLab;

struct TogetherLab : RunLab {
  explicit TogetherLab(Nanos lasting = milliseconds(60)) {
    experiment.method = testing::serial(
        {{testing::together({{testing::fault_step("a", lasting)}, {testing::fault_step("b", lasting)}})}});
    timing.arm_base = milliseconds(900);
    timing.arm_each = milliseconds(50);
  }
};

FindingResult start_of(const RunRecord& run, const std::string& fault) {
  for (const Finding& finding : run.judgement.findings) {
    if (finding.check == "start/" + fault) return finding.result;
  }
  throw std::out_of_range(fault);
}

TEST(Together, FaultsStartAtThePlannedMomentAndCountFromIt) {
  TogetherLab lab(milliseconds(200));
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
  ASSERT_EQ(run.faults.size(), 2U);
  ASSERT_TRUE(run.faults[0].planned_start && run.faults[1].planned_start);
  EXPECT_EQ(*run.faults[0].planned_start, *run.faults[1].planned_start);
  EXPECT_EQ(lab.agent.most_active(), 2U);
  for (const FaultOutcome& fault : run.faults) {
    EXPECT_EQ(*fault.effective_at, *fault.planned_start) << fault.name;
    EXPECT_GT(fault.applied.earliest, Nanos::zero()) << fault.name;
    EXPECT_GE(fault.applied.latest.value(), fault.applied.earliest) << fault.name;
    EXPECT_LT(fault.applied.latest.value(), *fault.planned_start) << "armed before it started";
    EXPECT_GE(*fault.removed_at - *fault.effective_at, milliseconds(195)) << fault.name;
    EXPECT_EQ(start_of(run, fault.name), FindingResult::kHeld);
  }
}

TEST(Together, ArmingIsPartOfTheInjectPhase) {
  TogetherLab lab(milliseconds(300));
  const RunRecord run = lab.run();
  const Nanos planned = run.faults.at(0).planned_start.value();
  bool observed = false;
  for (const PhaseSpan& span : run.phases) {
    if (span.phase == Phase::kInject) {
      EXPECT_LE(planned - span.start_at, seconds(1)) << "begins when arming does";
      EXPECT_GE(planned - span.start_at, milliseconds(200));
    }
    if (span.phase == Phase::kObserve) {
      EXPECT_GE(span.start_at, planned - milliseconds(1));
      observed = true;
    }
  }
  EXPECT_TRUE(observed);
}

TEST(Together, LeasesAreRenewedWhileFaultsAreArmed) {
  TogetherLab lab;
  lab.timing.lease = milliseconds(800);
  lab.timing.arm_base = milliseconds(2500);
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
}

TEST(Together, OtherStepsBeginAtThatMomentToo) {
  TogetherLab lab;
  lab.experiment.method = testing::serial(
      {{testing::together({{testing::fault_step("a", milliseconds(500))},
                           {testing::serial({{WaitStep{milliseconds(30)}},
                                             {testing::fault_step("late", milliseconds(50))}})}})}});
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
  ASSERT_EQ(run.faults.size(), 2U);
  EXPECT_EQ(run.faults[1].name, "late");
  EXPECT_FALSE(run.faults[1].planned_start);
  EXPECT_GE(*run.faults[1].effective_at - *run.faults[0].planned_start, milliseconds(29));
}

TEST(Together, TheStartIsAMomentOfTheNodesClock) {
  for (const Nanos skew : {Nanos(seconds(3600)), Nanos(-seconds(3600))}) {
    TogetherLab lab;
    lab.agent.clock_skew = skew;
    const RunRecord run = lab.run();
    EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
    ASSERT_TRUE(run.node_clock);
    EXPECT_EQ(run.node_clock->offset, skew);
    for (const FaultOutcome& fault : run.faults) EXPECT_EQ(*fault.effective_at, *fault.planned_start);
  }
}

TEST(Together, WhatIsRevertedWhileArmedNeverStarts) {
  TogetherLab lab;
  lab.timing.arm_base = seconds(100);
  lab.signal = [&]() -> std::optional<std::string> {
    if (lab.agent.armed() == 2) return "SIGINT";
    return std::nullopt;
  };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.exit_code, 130) << run.judgement.reason;
  EXPECT_LT(run.duration, seconds(50));
  EXPECT_EQ(lab.agent.most_active(), 0U);
  EXPECT_EQ(lab.agent.armed(), 0U);
  for (const FaultOutcome& fault : run.faults) {
    EXPECT_TRUE(never_started(fault));
    ASSERT_TRUE(fault.effective_at && fault.removed_at);
    EXPECT_EQ(*fault.effective_at, *fault.removed_at);
    EXPECT_LT(*fault.removed_at, *fault.planned_start);
    EXPECT_LE(*fault.removed_at, run.duration);
    EXPECT_EQ(start_of(run, fault.name), FindingResult::kUnknown);
  }
}

TEST(Together, OneThatCannotBeArmedKeepsTheOthersFromStarting) {
  TogetherLab lab;
  lab.timing.arm_base = seconds(100);
  lab.agent.refuse["b"] = make_error(StatusCode::kFailedPrecondition, "a foreign qdisc");
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.exit_code, 7) << run.judgement.reason;
  EXPECT_EQ(lab.agent.most_active(), 0U);
  EXPECT_EQ(lab.agent.armed(), 0U);
}

TEST(Together, AStartThatWasMissedIsInconclusive) {
  TogetherLab lab;
  lab.timing.arm_base = milliseconds(20);
  lab.timing.arm_each = Nanos::zero();
  lab.agent.arming_takes = milliseconds(200);
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kInconclusive) << run.judgement.reason;
  EXPECT_EQ(start_of(run, "a"), FindingResult::kUnknown);
  EXPECT_GE(*run.faults.at(0).effective_at - *run.faults.at(0).planned_start, milliseconds(150));
}

TEST(Together, AnAgentThatCannotTellItsTimeIsRefusedBeforeAnythingIsTouched) {
  TogetherLab lab;
  lab.agent.tells_clock = false;
  const Status status = preflight(lab.experiment, "id", lab.agent).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_EQ(
      message_of(status).rfind("lab.yaml:12:3: fault a: to start together with others needs an agent", 0), 0U)
      << message_of(status);

  RunLab apart;
  apart.agent.tells_clock = false;
  const RunRecord run = apart.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
  EXPECT_FALSE(run.node_clock);
}

}  // namespace
}  // namespace faultline
