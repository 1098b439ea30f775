#include "controller/experiment/runner.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/controller/runner/run_lab.h"

namespace faultline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::RunLab;

std::vector<Phase> phases_of(const RunRecord& run) {
  std::vector<Phase> phases;
  for (const PhaseSpan& span : run.phases) phases.push_back(span.phase);
  return phases;
}

TEST(Runner, PassesThroughEveryPhaseInOrder) {
  RunLab lab;
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
  EXPECT_EQ(run.judgement.exit_code, 0);
  EXPECT_EQ(phases_of(run), (std::vector<Phase>{Phase::kBaseline, Phase::kInject, Phase::kObserve,
                                                Phase::kRemove, Phase::kRecover}));
  for (std::size_t i = 1; i < run.phases.size(); ++i)
    EXPECT_EQ(run.phases[i].start_at, run.phases[i - 1].end_at);
  EXPECT_EQ(run.phases.back().end_at, run.duration);
  ASSERT_EQ(run.faults.size(), 1U);
  const FaultOutcome& fault = run.faults[0];
  EXPECT_EQ(fault.id, "20260131T101502Z-3f9a.0.slow");
  EXPECT_EQ(fault.plan.resolved_target(), "fake cgroup:/slow");
  ASSERT_TRUE(fault.effective_at && fault.removed_at);
  EXPECT_GE(*fault.removed_at - *fault.effective_at, milliseconds(55));
  EXPECT_EQ(fault.status.counters().injected(), 5U);
  EXPECT_EQ(run.samples.size(), lab.spectator.samples);
  EXPECT_EQ(lab.agent.active(), 0U);
}

TEST(Runner, FailsWhenProbeIsUnhealthyUnderFault) {
  RunLab lab;
  // Long enough for a sample while it is active, however busy the machine.
  lab.experiment.method = testing::serial({{testing::fault_step("slow", seconds(1))}});
  lab.health = [&] { return lab.fault_active() ? HealthState::kUnhealthy : HealthState::kHealthy; };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kFailed) << run.judgement.reason;
  EXPECT_EQ(run.judgement.exit_code, 1);
}

TEST(Runner, FailsWhenProbeNeverRecovers) {
  RunLab lab;
  lab.experiment.recovery.within = milliseconds(60);
  lab.health = [&] { return lab.agent.applied() > 0 ? HealthState::kDegraded : HealthState::kHealthy; };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kFailed) << run.judgement.reason;
  EXPECT_EQ(run.phases.back().phase, Phase::kRecover);
}

TEST(Runner, InjectsNothingWithoutSteadyState) {
  RunLab lab;
  lab.timing.baseline_grace = milliseconds(50);
  lab.experiment.steady_state.probes[0].timeout = milliseconds(20);
  lab.health = [] { return HealthState::kUnknown; };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kPrecondition);
  EXPECT_EQ(run.judgement.exit_code, 3);
  EXPECT_EQ(lab.agent.applied(), 0U);
  EXPECT_EQ(phases_of(run), std::vector<Phase>{Phase::kBaseline});
}

TEST(Runner, TheBaselineLastsAsLongAsItsSamplesNeed) {
  RunLab lab;  // as with the real times: a pause of 12 s and more, a baseline of 3 s and 10 s beyond
  lab.timing.baseline_grace = milliseconds(10);
  lab.experiment.steady_state.every = milliseconds(200);
  lab.experiment.method = testing::serial({{testing::fault_step("slow", milliseconds(500))}});
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
  const Nanos baseline = run.phases.at(0).end_at - run.phases.at(0).start_at;
  EXPECT_GE(baseline, milliseconds(150)) << "it waits for a second sample";
}

TEST(Runner, FaultThatMatchedNothingIsInconclusive) {
  RunLab lab;
  lab.agent.injected = 0;
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.outcome, Outcome::kInconclusive) << run.judgement.reason;
  EXPECT_EQ(run.judgement.exit_code, 4);
}

TEST(Runner, ResidueIsTheOutcome) {
  RunLab lab;
  lab.agent.residue = {"qdisc fa17: on eth0"};
  EXPECT_EQ(lab.run().judgement.exit_code, 6);
}

TEST(Runner, LeasesAreRenewedUntilTheRevert) {
  RunLab lab;
  lab.experiment.method = testing::serial({{testing::fault_step("slow", milliseconds(2000))}});
  const RunRecord run = lab.run();
  EXPECT_NE(run.faults.at(0).status.end_reason(), v1::END_REASON_LEASE) << run.judgement.reason;
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
}

TEST(Runner, FaultsAreRecordedInTheFilesOrderWhicheverWasFirst) {
  RunLab lab;
  lab.experiment.method = testing::parallel(
      {{testing::serial({{WaitStep{milliseconds(50)}}, {testing::fault_step("a", milliseconds(30))}})},
       {testing::fault_step("b", milliseconds(30))}});
  const RunRecord run = lab.run();
  ASSERT_EQ(run.faults.size(), 2U);
  EXPECT_EQ(run.faults[0].name, "a");
  EXPECT_EQ(run.faults[1].name, "b");
  EXPECT_LT(*run.faults[1].effective_at, *run.faults[0].effective_at);
}

TEST(Runner, SerialFaultsFollowEachOther) {
  RunLab lab;
  lab.experiment.method = testing::serial({{testing::fault_step("a", milliseconds(30))},
                                           {WaitStep{milliseconds(30)}},
                                           {testing::fault_step("b", milliseconds(30))}});
  const RunRecord run = lab.run();
  EXPECT_EQ(lab.agent.most_active(), 1U);
  ASSERT_EQ(run.faults.size(), 2U);
  EXPECT_GE(*run.faults[1].effective_at - *run.faults[0].removed_at, milliseconds(30));
}

TEST(Runner, ParallelFaultsAreActiveTogether) {
  RunLab lab;
  lab.experiment.method = testing::serial({{testing::parallel(
      {{testing::fault_step("a", seconds(1))},
       {testing::serial({{WaitStep{milliseconds(10)}}, {testing::fault_step("b", seconds(1))}})}})}});
  const RunRecord run = lab.run();
  EXPECT_EQ(lab.agent.most_active(), 2U);
  EXPECT_EQ(run.judgement.outcome, Outcome::kPassed) << run.judgement.reason;
  EXPECT_EQ(lab.agent.active(), 0U);
}

TEST(Runner, StopConditionEndsTheFaultEarlyAndStillWatchesRecovery) {
  RunLab lab;
  lab.experiment.method =
      testing::serial({{testing::fault_step("long", seconds(100))}, {WaitStep{seconds(100)}}});
  lab.experiment.stop_conditions = {{"shop", HealthState::kUnhealthy, milliseconds(20), {}}};
  lab.health = [&] { return lab.fault_active() ? HealthState::kUnhealthy : HealthState::kHealthy; };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.interruption, Interruption::kStopCondition);
  EXPECT_EQ(run.judgement.exit_code, 5);
  EXPECT_LT(run.duration, seconds(50));
  EXPECT_EQ(run.phases.back().phase, Phase::kRecover);
  EXPECT_EQ(lab.agent.active(), 0U);
}

TEST(Runner, HaltLeverEndsTheRun) {
  RunLab lab;
  lab.experiment.method = testing::serial({{testing::fault_step("long", seconds(100))}});
  lab.halted = [&]() -> std::optional<std::string> {
    if (lab.fault_active()) return "customers affected";
    return std::nullopt;
  };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.interruption, Interruption::kHalt);
  EXPECT_EQ(run.interruption_detail, "customers affected");
  EXPECT_EQ(run.judgement.exit_code, 5);
  EXPECT_EQ(lab.agent.active(), 0U);
}

TEST(Runner, SignalRevertsProvesAndExitsWith130) {
  RunLab lab;
  lab.experiment.method = testing::serial({{testing::parallel(
      {{testing::fault_step("a", seconds(100))}, {testing::fault_step("b", seconds(100))}})}});
  lab.signal = [&]() -> std::optional<std::string> {
    if (lab.agent.applied() == 2) return "SIGINT";  // and again at every poll: a second one changes nothing
    return std::nullopt;
  };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.interruption, Interruption::kSignal);
  EXPECT_EQ(run.judgement.exit_code, 130) << run.judgement.reason;
  for (const FaultOutcome& fault : run.faults) EXPECT_TRUE(fault.removed_at);
  EXPECT_EQ(lab.agent.active(), 0U);
  EXPECT_EQ(lab.spectator.interruptions, 1U);
}

TEST(Runner, SignalInTheBaselineInjectsNothing) {
  RunLab lab;
  lab.health = [] { return HealthState::kUnknown; };
  lab.signal = [] { return "SIGTERM"; };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.exit_code, 130) << run.judgement.reason;
  EXPECT_EQ(lab.agent.applied(), 0U);
}

TEST(Runner, SignalEndsTheWaitForRecovery) {
  RunLab lab;
  lab.experiment.recovery.within = seconds(100);
  std::atomic<bool> recovering = false;
  lab.spectator.on_enter = [&](Phase phase) { recovering = phase == Phase::kRecover; };
  lab.health = [&] { return lab.agent.applied() > 0 ? HealthState::kDegraded : HealthState::kHealthy; };
  lab.signal = [&]() -> std::optional<std::string> {
    if (recovering) return "SIGINT";
    return std::nullopt;
  };
  const RunRecord run = lab.run();
  EXPECT_EQ(run.judgement.exit_code, 130);
  EXPECT_LT(run.duration, seconds(50));
}

}  // namespace
}  // namespace faultline
