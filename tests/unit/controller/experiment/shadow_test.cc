#include "controller/experiment/shadow.h"

#include <gtest/gtest.h>

#include "controller/experiment/judge.h"
#include "tests/unit/controller/experiment/run_builder.h"

namespace faultline {
namespace {

using namespace std::chrono_literals;

FaultStep reject_step(const std::string& name, std::int32_t priority) {
  FaultStep step;
  step.name = name;
  step.target = "cgroup:/x";
  step.kind = "reject";
  step.spec.mutable_reject();
  step.spec.set_priority(priority);
  step.duration = 2s;
  return step;
}

// Faults f and g side by side on the same packets of one target; f hit nothing, g had its 50.
struct Shadowed {
  explicit Shadowed(std::int32_t priority_of_f = 0, std::int32_t priority_of_g = 5) {
    experiment = small_experiment();
    experiment.method.steps = {
        {Block{true, {{reject_step("f", priority_of_f)}, {reject_step("g", priority_of_g)}}}}};
    record = good_run();
    record.faults.push_back(good_outcome("g"));
    record.faults[0].status.mutable_counters()->set_matched(0);
    record.faults[0].status.mutable_counters()->set_injected(0);
  }

  FaultStep& step(std::size_t which) {
    return std::get<FaultStep>(std::get<Block>(experiment.method.steps[0].what).steps[which].what);
  }
  std::string text() { return shadow_text(experiment, record, step(0)); }

  Experiment experiment;
  RunRecord record;
};

TEST(Shadow, TheFindingNamesTheFaultOfHigherPriority) {
  const Shadowed run;
  const Judgement judgement = judge(run.experiment, run.record);
  EXPECT_EQ(judgement.exit_code, 4);
  EXPECT_EQ(
      judgement.reason,
      "effect/f: not effective: 0 injected of 0 matched, 100 evaluated; fault g, which matches the same "
      "packets, has them instead: its priority is 5, this one's 0 (it had 50)");
}

TEST(Shadow, OfEqualPrioritiesTheOneAppliedFirst) {
  Shadowed run(3, 3);
  run.record.faults[1].effective_at = 1100ms;
  EXPECT_EQ(run.text(),
            "fault g, which matches the same packets, has them instead: it was applied first (it had 50)");
  run.record.faults[1].effective_at = 1300ms;
  EXPECT_EQ(run.text(), "") << "f was applied first";
  for (FaultOutcome& fault : run.record.faults) fault.planned_start = fault.effective_at = 1200ms;
  EXPECT_EQ(
      run.text(),
      "fault g, which matches the same packets, has them instead: their priority is the same, and the one "
      "applied first has them (it had 50)");
}

TEST(Shadow, OfAnArmedFaultTheCallTellsWhetherItWasAppliedFirst) {
  Shadowed run(3, 3);
  FaultOutcome& f = run.record.faults[0];
  FaultOutcome& g = run.record.faults[1];
  g.planned_start = g.effective_at = 2s;
  g.applied = {1700ms, 1750ms};
  f.applied = {1100ms, 1250ms};
  EXPECT_EQ(run.text(), "") << "f was in force before g was armed";

  f.effective_at = 1800ms;
  f.applied = {1790ms, 1810ms};
  EXPECT_EQ(run.text(),
            "fault g, which matches the same packets, has them instead: it was applied first (it had 50)")
      << "though it started later";

  f.applied = {1740ms, 1810ms};
  EXPECT_NE(run.text().find("the one applied first has them"), std::string::npos) << "the calls overlap";
  f.applied = {1790ms, std::nullopt};
  g.applied = {1700ms, std::nullopt};
  EXPECT_NE(run.text().find("the one applied first has them"), std::string::npos) << "an answer is missing";
}

TEST(Shadow, AFaultThatMatchedPacketsHadThemItself) {
  Shadowed run;
  run.record.faults[0].status.mutable_counters()->set_matched(20);
  EXPECT_EQ(run.text(), "") << "a loss of 1 % of 20 hits none most of the time";
  const Judgement judgement = judge(run.experiment, run.record);
  EXPECT_EQ(judgement.exit_code, 4);
  EXPECT_EQ(judgement.reason, "effect/f: not effective: 0 injected of 20 matched, 100 evaluated");
}

TEST(Shadow, NobodyIsNamedWhoHadNoneOrComesSecondOrAtAnotherTime) {
  Shadowed idle;
  idle.record.faults[1].status.mutable_counters()->set_matched(0);
  EXPECT_EQ(idle.text(), "") << "there were no packets";
  EXPECT_EQ(Shadowed(5, 0).text(), "");

  Shadowed apart;
  apart.record.faults[1].effective_at = 3200ms;
  apart.record.faults[1].removed_at = 4s;
  EXPECT_EQ(apart.text(), "");
  apart.record.faults[1].effective_at = 3100ms;
  EXPECT_NE(apart.text(), "");

  Shadowed elsewhere;
  elsewhere.step(1).target = "cgroup:/y";
  EXPECT_EQ(elsewhere.text(), "");
  Shadowed serial;
  std::get<Block>(serial.experiment.method.steps[0].what).parallel = false;
  EXPECT_EQ(serial.text(), "");
  Shadowed never;
  never.record.faults.pop_back();
  EXPECT_EQ(never.text(), "");
}

TEST(Shadow, ThatTheyMeetMayBeUncertain) {
  Shadowed run;
  run.step(1).target = "pid:7";
  EXPECT_EQ(run.text(),
            "fault g, which may match the same packets, has them instead: its priority is 5, this one's 0 "
            "(it had 50)");
}

TEST(Shadow, AFaultThatHitSomethingIsNotShadowed) {
  Shadowed run;
  run.record.faults[0] = good_outcome("f");
  for (const Finding& finding : judge(run.experiment, run.record).findings) {
    EXPECT_EQ(finding.message.find("instead"), std::string::npos) << finding.message;
  }
}

}  // namespace
}  // namespace faultline
