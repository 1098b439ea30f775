// The runner when the agent, or a target, does not do as it should.
#include <gtest/gtest.h>

#include "controller/experiment/runner.h"
#include "tests/unit/controller/runner/run_lab.h"

namespace faultline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::RunLab;

const FaultOutcome& fault_of(const RunRecord& run, const std::string& name) {
  for (const FaultOutcome& fault : run.faults) {
    if (fault.name == name) return fault;
  }
  throw std::out_of_range(name);
}

// A fault that holds long, and beside it one that comes a little later.
Block long_then(const std::string& second) {
  return testing::serial({{testing::parallel(
      {{testing::fault_step("long", seconds(100))},
       {testing::serial({{WaitStep{milliseconds(100)}}, {testing::fault_step(second, seconds(100))}})}})}});
}

TEST(RunnerTrouble, RefusedApplyRevertsTheFaultThatIsActive) {
  RunLab lab;
  lab.experiment.method = long_then("refused");
  lab.agent.refuse["refused"] = make_error(StatusCode::kFailedPrecondition, "a foreign qdisc");
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.exit_code, 7) << run.judgement.reason;
  EXPECT_TRUE(fault_of(run, "long").removed_at);
  EXPECT_FALSE(fault_of(run, "refused").effective_at);
  EXPECT_EQ(fault_of(run, "refused").error, "a foreign qdisc");
  EXPECT_EQ(lab.agent.active(), 0U);
  EXPECT_LT(run.duration, seconds(50));
}

TEST(RunnerTrouble, ExceptionRevertsTheFaultThatIsActive) {
  RunLab lab;
  lab.experiment.method = long_then("bug");
  lab.agent.throws["bug"] = true;
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.exit_code, 7);
  EXPECT_EQ(run.interruption_detail, "internal error: a bug");
  EXPECT_TRUE(fault_of(run, "long").removed_at);
  EXPECT_EQ(lab.agent.active(), 0U);
}

TEST(RunnerTrouble, ApplyWhoseAnswerWasLostIsReverted) {
  RunLab lab;
  lab.agent.lose_answer["slow"] = make_error(StatusCode::kDeadlineExceeded, "no answer in time");
  const RunRecord run = lab.run();
  EXPECT_EQ(lab.agent.applied(), 1U);
  EXPECT_EQ(lab.agent.active(), 0U);
  EXPECT_TRUE(run.faults.at(0).removed_at) << "the revert told that it had been in place";
  EXPECT_EQ(run.judgement.exit_code, 7);
}

TEST(RunnerTrouble, LostAgentIsToldPlainly) {
  RunLab lab;
  lab.experiment.method = testing::serial({{testing::fault_step("slow", seconds(100))}});
  lab.health = [&] {
    if (lab.fault_active()) lab.agent.lost = true;
    return HealthState::kHealthy;
  };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.interruption, Interruption::kInfrastructure);
  EXPECT_EQ(run.judgement.exit_code, 7);
  EXPECT_NE(run.interruption_detail.find("agent lost"), std::string::npos) << run.interruption_detail;
  EXPECT_FALSE(run.faults.at(0).removed_at);
  EXPECT_EQ(run.faults.at(0).error, "no agent there");
  EXPECT_NE(run.judgement.reason.find("not proved"), std::string::npos) << run.judgement.reason;
  EXPECT_LT(run.duration, seconds(50));
}

TEST(RunnerTrouble, RevertIsTriedAgain) {
  RunLab lab;
  lab.timing.revert_retry = seconds(20);
  lab.agent.revert_hiccups = 3;
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
  EXPECT_EQ(lab.agent.active(), 0U);
}

class EndedByTheAgent : public ::testing::Test {
 protected:
  RunRecord run_and_end(v1::EndReason reason, const std::string& detail) {
    lab_.experiment.method = testing::serial({{testing::fault_step("slow", seconds(100))}});
    lab_.health = [this, reason, detail] {
      if (lab_.fault_active()) lab_.agent.end_all(reason, detail);
      return HealthState::kHealthy;
    };
    return lab_.run();
  }
  RunLab lab_;
};

TEST_F(EndedByTheAgent, RevertByOthersIsAHalt) {
  const RunRecord run = run_and_end(v1::END_REASON_REVERTED, "halt: enough");
  EXPECT_EQ(run.interruption, Interruption::kHalt);
  EXPECT_EQ(run.judgement.exit_code, 5) << run.judgement.reason;
  EXPECT_LT(run.duration, seconds(50));
}

TEST_F(EndedByTheAgent, LeaseThatRanOutIsInfrastructure) {
  EXPECT_EQ(run_and_end(v1::END_REASON_LEASE, "").judgement.exit_code, 7);
}

TEST_F(EndedByTheAgent, ShutdownIsInfrastructure) {
  EXPECT_EQ(run_and_end(v1::END_REASON_SHUTDOWN, "").judgement.exit_code, 7);
}

TEST_F(EndedByTheAgent, TargetThatWentAwayEndsTheStepNotTheRun) {
  const RunRecord run = run_and_end(v1::END_REASON_TARGET_GONE, "cgroup removed");
  EXPECT_EQ(run.interruption, Interruption::kNone);
  EXPECT_EQ(run.faults.at(0).status.end_reason(), v1::END_REASON_TARGET_GONE);
  EXPECT_EQ(run.judgement.exit_code, 4) << run.judgement.reason;
  EXPECT_LT(run.duration, seconds(50));
}

TEST_F(EndedByTheAgent, HardEndIsTheStepsOwnEnd) {
  const RunRecord run = run_and_end(v1::END_REASON_DURATION, "");
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
}

TEST(RunnerTrouble, AgentsWrongClockMovesNoEventOutOfItsCall) {
  for (const Nanos skew : {Nanos(seconds(3600)), Nanos(-seconds(3600))}) {
    RunLab lab;
    lab.agent.clock_skew = skew;
    const RunRecord run = lab.run();
    const FaultOutcome& fault = run.faults.at(0);
    ASSERT_TRUE(fault.effective_at && fault.removed_at);
    EXPECT_GE(*fault.removed_at - *fault.effective_at, milliseconds(55));
    EXPECT_LE(*fault.removed_at, run.duration);
    EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
  }
}

}  // namespace
}  // namespace faultline
