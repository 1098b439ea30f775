#include "controller/experiment/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/controller/experiment/run_builder.h"

namespace faultline {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using enum HealthState;

const Finding& finding(const Judgement& judgement, const std::string& check) {
  static const Finding kNone{"none", FindingResult::kUnknown, "no such finding"};
  for (const Finding& f : judgement.findings) {
    if (f.check == check) return f;
  }
  ADD_FAILURE() << "no finding " << check;
  return kNone;
}

FindingResult result(const Judgement& judgement, const std::string& check) {
  return finding(judgement, check).result;
}

void expect_verdict(const Judgement& judgement, Outcome outcome, int exit_code, const std::string& reason) {
  EXPECT_STREQ(to_string(judgement.outcome), to_string(outcome)) << judgement.reason;
  EXPECT_EQ(judgement.exit_code, exit_code) << judgement.reason;
  EXPECT_THAT(judgement.reason, HasSubstr(reason));
}

RunRecord interrupted(Interruption cause, const std::string& detail) {
  RunRecord record = good_run();
  record.interruption = cause;
  record.interruption_detail = detail;
  return record;
}

// What a run looks like that ended before its first fault.
RunRecord ended_in_baseline(Interruption cause, const std::string& detail) {
  RunRecord record = interrupted(cause, detail);
  record.faults.clear();
  std::erase_if(record.samples, [](const Sample& s) { return s.sent_at > 500ms; });
  record.duration = 600ms;
  return record;
}

TEST(Judge, PassesAGoodRunAndFindsEverythingHeld) {
  const Judgement judgement = judge(small_experiment(), good_run());
  expect_verdict(judgement, Outcome::kPassed, 0, "healthy again within 2s");
  std::vector<std::string> checks;
  for (const Finding& f : judgement.findings) {
    checks.push_back(f.check);
    EXPECT_EQ(f.result, FindingResult::kHeld) << f.check << ": " << f.message;
  }
  EXPECT_THAT(checks,
              ::testing::ElementsAre("baseline/a", "baseline/b", "effect/f", "tolerance/a", "tolerance/b",
                                     "recovery/a", "recovery/b", "stop/a/unhealthy", "residue/f"));
  EXPECT_EQ(finding(judgement, "residue/f").message, "none");
  EXPECT_EQ(finding(judgement, "effect/f").message, "50 injected of 50 matched, 100 evaluated");
}

TEST(Judge, TheFindingsAreTheSameForEveryEnd) {
  const Experiment experiment = small_experiment(true);
  RunRecord full = good_run();
  full.faults.push_back(good_outcome("g"));
  const auto names = [&](const RunRecord& record) {
    std::vector<std::string> checks;
    for (const Finding& f : judge(experiment, record).findings) checks.push_back(f.check);
    return checks;
  };
  EXPECT_EQ(names(full), names(ended_in_baseline(Interruption::kPrecondition, "x")));
  EXPECT_EQ(names(full), names(RunRecord{}));
}

TEST(Judge, MoreDegradedOrUnhealthyThanToleratedFails) {
  Experiment experiment = small_experiment();
  RunRecord record = good_run();  // 20 samples a probe from 1.2 s to 3.1 s
  spoil(record, 0, 2s, 2200ms, kDegraded);
  expect_verdict(judge(experiment, record), Outcome::kPassed, 0, "");

  experiment.steady_state.probes[0].tolerance.degraded = 0.1;
  expect_verdict(judge(experiment, record), Outcome::kPassed, 0, "");  // 2 of 20 is 10 % exactly
  spoil(record, 0, 2200ms, 2300ms, kDegraded);
  Judgement judgement = judge(experiment, record);
  expect_verdict(judgement, Outcome::kFailed, 1, "tolerance/a: of 20 samples 15% degraded (10% allowed)");
  EXPECT_EQ(result(judgement, "tolerance/b"), FindingResult::kHeld);
  EXPECT_EQ(judgement.probes[0].samples, 20U);
  EXPECT_DOUBLE_EQ(judgement.probes[0].degraded_share, 0.15);

  record = good_run();
  spoil(record, 1, 3100ms, 3200ms, kUnhealthy);
  expect_verdict(judge(experiment, record), Outcome::kFailed, 1, "tolerance/b");
  experiment.steady_state.probes[1].tolerance.unhealthy = 0.05;
  expect_verdict(judge(experiment, record), Outcome::kPassed, 0, "");
}

TEST(Judge, AShareOfExactlyTheToleranceHoldsInSpiteOfRounding) {
  Experiment experiment = small_experiment();
  experiment.steady_state.probes[0].tolerance.degraded = 5.6 / 100;  // a bit below 7.0 / 125
  RunRecord record = good_run();
  std::erase_if(record.samples, [](const Sample& s) { return s.phase == Phase::kObserve; });
  for (int i = 0; i < 125; ++i) {
    for (const std::size_t probe : {0, 1}) {
      record.samples.push_back(
          sample(probe, 1200ms + i * 10ms, Phase::kObserve, i < 7 ? kDegraded : kHealthy));
    }
  }
  EXPECT_EQ(result(judge(experiment, record), "tolerance/a"), FindingResult::kHeld);
}

TEST(Judge, UnknownCountsAsUnhealthy) {
  RunRecord record = good_run();
  spoil(record, 0, 2s, 2100ms, kUnknown);
  const Judgement judgement = judge(small_experiment(), record);
  expect_verdict(judgement, Outcome::kFailed, 1, "tolerance/a");
  EXPECT_DOUBLE_EQ(judgement.probes[0].unhealthy_share, 0.05);
}

TEST(Judge, NotHealthyAgainInTimeFails) {
  RunRecord record = good_run();
  spoil(record, 0, 3200ms, 5s, kDegraded);
  record.duration = 8s;
  Judgement judgement = judge(small_experiment(), record);
  expect_verdict(judgement, Outcome::kFailed, 1, "recovery/a: a is DEGRADED (bad); it had 2s to get healthy");
  ASSERT_TRUE(judgement.probes[0].time_to_recover.has_value());
  EXPECT_EQ(judgement.probes[0].time_to_recover->latest, std::nullopt);
  EXPECT_EQ(judgement.probes[0].time_to_recover->earliest, 800ms);
  EXPECT_EQ(result(judgement, "recovery/b"), FindingResult::kHeld);
}

TEST(Judge, RecoveryIsUnknownWhenTheRunEndedBeforeItWasDecided) {
  RunRecord record = good_run();
  spoil(record, 0, 3500ms, 5s, kUnhealthy);
  const Judgement judgement = judge(small_experiment(), record);
  expect_verdict(judgement, Outcome::kInconclusive, 4, "recovery/a");
  EXPECT_EQ(result(judgement, "recovery/a"), FindingResult::kUnknown);
}

TEST(Judge, AFaultThatHitNothingIsInconclusive) {
  RunRecord record = good_run();
  record.faults[0].status.mutable_counters()->set_injected(0);
  record.faults[0].status.mutable_counters()->set_matched(0);
  const Judgement judgement = judge(small_experiment(), record);
  expect_verdict(judgement, Outcome::kInconclusive, 4,
                 "effect/f: not effective: 0 injected of 0 matched, 100 evaluated");
  EXPECT_EQ(result(judgement, "effect/f"), FindingResult::kViolated);

  Experiment two = small_experiment(true);
  RunRecord one_of_two = good_run();
  one_of_two.faults.push_back(record.faults[0]);
  one_of_two.faults[1].name = "g";
  expect_verdict(judge(two, one_of_two), Outcome::kInconclusive, 4, "effect/g");
}

TEST(Judge, MissingEvidenceIsInconclusiveNeverPassed) {
  RunRecord no_samples = good_run();
  std::erase_if(no_samples.samples,
                [](const Sample& s) { return s.probe == 1 && s.phase == Phase::kObserve; });
  expect_verdict(judge(small_experiment(), no_samples), Outcome::kInconclusive, 4,
                 "tolerance/b: no sample while faults were active");

  RunRecord no_baseline = good_run();
  spoil(no_baseline, 0, 500ms, 600ms, kUnhealthy);
  expect_verdict(judge(small_experiment(), no_baseline), Outcome::kInconclusive, 4, "baseline/a");

  expect_verdict(judge(small_experiment(true), good_run()), Outcome::kInconclusive, 4,
                 "effect/g: it was never injected");

  RunRecord gone = good_run();
  gone.faults[0].status.set_end_reason(v1::END_REASON_TARGET_GONE);
  expect_verdict(judge(small_experiment(), gone), Outcome::kInconclusive, 4, "its target went away");

  expect_verdict(judge(small_experiment(), RunRecord{}), Outcome::kInconclusive, 4, "");
}

TEST(Judge, PreconditionMeansNothingWasInjected) {
  const Judgement judgement =
      judge(small_experiment(), ended_in_baseline(Interruption::kPrecondition, "a is UNHEALTHY"));
  expect_verdict(judgement, Outcome::kPrecondition, 3, "nothing was injected: a is UNHEALTHY");
  EXPECT_EQ(result(judgement, "baseline/a"), FindingResult::kViolated);
  EXPECT_EQ(result(judgement, "effect/f"), FindingResult::kUnknown);
  EXPECT_EQ(result(judgement, "stop/a/unhealthy"), FindingResult::kUnknown);
  EXPECT_EQ(result(judgement, "residue/f"), FindingResult::kHeld);
  // With a fault in place it is the stack that failed.
  expect_verdict(judge(small_experiment(), interrupted(Interruption::kPrecondition, "no route")),
                 Outcome::kInfrastructure, 7, "no route; all faults are removed, residue: none");
}

TEST(Judge, EveryWayToStopIsToldApart) {
  expect_verdict(judge(small_experiment(), interrupted(Interruption::kStopCondition, "a was bad")),
                 Outcome::kStopped, 5, "stopped: a was bad");
  expect_verdict(judge(small_experiment(), interrupted(Interruption::kHalt, "fire drill")), Outcome::kStopped,
                 5, "halted: fire drill");
  expect_verdict(judge(small_experiment(), interrupted(Interruption::kSignal, "SIGINT")), Outcome::kStopped,
                 130, "interrupted by SIGINT; the cleanup is proved");
  expect_verdict(judge(small_experiment(), ended_in_baseline(Interruption::kSignal, "SIGTERM")),
                 Outcome::kStopped, 130, "SIGTERM");
  expect_verdict(judge(small_experiment(), ended_in_baseline(Interruption::kHalt, "engaged")),
                 Outcome::kStopped, 5, "engaged");
}

TEST(Judge, AStopConditionThatFiredLeavesTheOtherFindings) {
  RunRecord record = interrupted(Interruption::kStopCondition, "probe a was UNHEALTHY for 1s");
  spoil(record, 0, 2s, 3100ms, kUnhealthy);
  const Judgement judgement = judge(small_experiment(), record);
  expect_verdict(judgement, Outcome::kStopped, 5, "probe a was UNHEALTHY");
  EXPECT_EQ(result(judgement, "stop/a/unhealthy"), FindingResult::kViolated);
  EXPECT_EQ(result(judgement, "tolerance/a"), FindingResult::kViolated);
  EXPECT_EQ(result(judgement, "tolerance/b"), FindingResult::kHeld);
  // Fired by the samples, whatever the record says of why it ended.
  record.interruption = Interruption::kNone;
  expect_verdict(judge(small_experiment(), record), Outcome::kStopped, 5,
                 "stopped: probe a was UNHEALTHY for 1s");
}

TEST(Judge, WhatIsLeftBehindIsResidueWhetherCheckedOrNot) {
  RunRecord record = good_run();
  record.faults[0].status.add_residue("qdisc fa17: on eth0");
  expect_verdict(judge(small_experiment(), record), Outcome::kResidue, 6,
                 "residue/f: left behind: qdisc fa17: on eth0");
  record.faults[0].status.set_residue_checked(false);
  expect_verdict(judge(small_experiment(), record), Outcome::kResidue, 6, "left behind");
}

TEST(Judge, ACleanupThatIsNotProvedIsTold) {
  RunRecord unconfirmed = good_run();
  unconfirmed.faults[0].removed_at.reset();
  unconfirmed.faults[0].error = "agent unreachable";
  Judgement judgement = judge(small_experiment(), unconfirmed);
  expect_verdict(
      judgement, Outcome::kInfrastructure, 7,
      "residue/f: not proved: its removal was not confirmed (agent unreachable); the kernel ends the effect "
      "at its deadline");
  EXPECT_EQ(result(judgement, "recovery/a"), FindingResult::kUnknown);
  EXPECT_FALSE(judgement.probes[0].time_to_recover.has_value());
  EXPECT_EQ(result(judgement, "effect/f"), FindingResult::kHeld) << "it was seen to act";

  unconfirmed.faults[0].status.mutable_counters()->set_injected(0);
  EXPECT_EQ(result(judge(small_experiment(), unconfirmed), "effect/f"), FindingResult::kUnknown)
      << "the last counters may be old";

  RunRecord unchecked = good_run();
  unchecked.faults[0].status.set_residue_checked(false);
  expect_verdict(judge(small_experiment(), unchecked), Outcome::kInfrastructure, 7, "was not compared");

  RunRecord uncertain = good_run();
  uncertain.faults[0] = FaultOutcome{};
  uncertain.faults[0].name = "f";
  uncertain.faults[0].error = "deadline exceeded";
  expect_verdict(judge(small_experiment(), uncertain), Outcome::kInfrastructure, 7,
                 "not certain that it was not applied (deadline exceeded)");
}

TEST(Judge, TroubleOfTheStackIsToldWithTheStateOfTheCleanup) {
  expect_verdict(judge(small_experiment(), ended_in_baseline(Interruption::kInfrastructure, "agent lost")),
                 Outcome::kInfrastructure, 7, "agent lost; nothing was injected");
  expect_verdict(judge(small_experiment(), interrupted(Interruption::kInfrastructure, "agent lost")),
                 Outcome::kInfrastructure, 7, "agent lost; all faults are removed, residue: none");
  for (const auto& [end, text] : {std::pair{v1::END_REASON_LEASE, "its lease was not renewed"},
                                  std::pair{v1::END_REASON_SHUTDOWN, "the agent was shut down"}}) {
    RunRecord record = good_run();
    record.faults[0].status.set_end_reason(end);
    expect_verdict(judge(small_experiment(), record), Outcome::kInfrastructure, 7, text);
  }
}

// Worst wins, for every pair.
TEST(Judge, TheWorstThatIsTrueWins) {
  struct Trouble {
    Outcome outcome;
    int exit_code;
    std::function<void(RunRecord&)> make;
  };
  const Trouble worst_first[] = {
      {Outcome::kResidue, 6, [](RunRecord& r) { r.faults[0].status.add_residue("left"); }},
      {Outcome::kInfrastructure, 7, [](RunRecord& r) { r.faults[0].status.set_residue_checked(false); }},
      {Outcome::kStopped, 130, [](RunRecord& r) { r.interruption = Interruption::kSignal; }},
      {Outcome::kFailed, 1, [](RunRecord& r) { spoil(r, 1, 2s, 3s, kUnhealthy); }},
      {Outcome::kInconclusive, 4,
       [](RunRecord& r) { r.faults[0].status.mutable_counters()->set_injected(0); }},
      {Outcome::kPassed, 0, [](RunRecord&) {}},
  };
  for (std::size_t worse = 0; worse < std::size(worst_first); ++worse) {
    for (std::size_t other = worse; other < std::size(worst_first); ++other) {
      RunRecord record = good_run();
      worst_first[other].make(record);
      worst_first[worse].make(record);
      expect_verdict(judge(small_experiment(), record), worst_first[worse].outcome,
                     worst_first[worse].exit_code, "");
    }
  }
}

TEST(Judge, TimesAreIntervalsBetweenSamples) {
  RunRecord record = good_run();
  spoil(record, 0, 2s, 3500ms, kDegraded);
  Judgement judgement = judge(small_experiment(), record);
  const ProbeSummary& a = judgement.probes[0];
  ASSERT_TRUE(a.time_to_detect.has_value());
  EXPECT_EQ(a.time_to_detect->earliest, 700ms);  // healthy at 1.9 s, the fault in force at 1.2 s
  EXPECT_EQ(a.time_to_detect->latest, 805ms);    // the answer to 2 s
  ASSERT_TRUE(a.time_to_recover.has_value());
  EXPECT_EQ(a.time_to_recover->earliest, 200ms);  // degraded at 3.4 s, removed at 3.2 s
  EXPECT_EQ(a.time_to_recover->latest, 305ms);

  const ProbeSummary& b = judgement.probes[1];
  ASSERT_TRUE(b.time_to_detect.has_value());
  EXPECT_EQ(b.time_to_detect->earliest, 1900ms) << "healthy to the last sample before the removal";
  EXPECT_EQ(b.time_to_detect->latest, std::nullopt) << "never seen is a result";
  EXPECT_EQ(b.time_to_recover->earliest, 0ms);
  EXPECT_EQ(b.time_to_recover->latest, 5ms);
}

TEST(Judge, ASampleOnItsWayWhenTheFaultTookEffectCountsAsDetection) {
  RunRecord record = good_run();
  Sample slow = sample(0, 1190ms, Phase::kInject, kDegraded, 300ms);
  record.samples.insert(record.samples.begin() + 24, slow);
  const Judgement judgement = judge(small_experiment(), record);
  EXPECT_EQ(judgement.probes[0].time_to_detect->earliest, 0ms);
  EXPECT_EQ(judgement.probes[0].time_to_detect->latest, 290ms);
}

TEST(Judge, RecoveryIsNotJudgedWhileOneOfTheFaultsMayBeInForce) {
  RunRecord record = good_run();
  record.faults.push_back(good_outcome("g"));
  record.faults[1].removed_at.reset();
  const Judgement judgement = judge(small_experiment(true), record);
  expect_verdict(judgement, Outcome::kInfrastructure, 7, "residue/g: not proved");
  EXPECT_EQ(result(judgement, "recovery/a"), FindingResult::kUnknown);
  EXPECT_EQ(result(judgement, "residue/f"), FindingResult::kHeld);
}

TEST(Judge, TimesCountFromTheFirstFaultAndTheLastRemoval) {
  RunRecord record = good_run();
  record.faults.push_back(good_outcome("g"));
  record.faults[1].effective_at = 1500ms;
  record.faults[0].removed_at = 2500ms;
  spoil(record, 0, 1800ms, 3300ms, kDegraded);
  const Judgement judgement = judge(small_experiment(true), record);
  expect_verdict(judgement, Outcome::kPassed, 0, "");
  EXPECT_EQ(judgement.probes[0].time_to_detect->latest, 605ms);
  EXPECT_EQ(judgement.probes[0].time_to_recover->earliest, 0ms);
  EXPECT_EQ(judgement.probes[0].time_to_recover->latest, 105ms);
}

}  // namespace
}  // namespace faultline
