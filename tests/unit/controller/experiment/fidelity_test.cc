// What the judge makes of achieved values and of planned starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "controller/experiment/findings.h"
#include "controller/experiment/judge.h"
#include "tests/unit/controller/experiment/run_builder.h"

namespace faultline {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

v1::Achieved achieved(const char* name, double median, double low, double high, std::uint64_t samples = 100) {
  v1::Achieved value;
  value.set_name(name);
  value.set_unit("ms");
  value.set_requested(200);
  value.set_median(median);
  value.set_samples(samples);
  value.set_tolerated_low(low);
  value.set_tolerated_high(high);
  return value;
}

RunRecord run_with(std::initializer_list<v1::Achieved> values) {
  RunRecord record = good_run();
  for (const v1::Achieved& value : values) *record.faults[0].status.add_achieved() = value;
  return record;
}

std::vector<Finding> fidelity_of(std::initializer_list<v1::Achieved> values) {
  return fidelity_findings(small_experiment(), run_with(values));
}

TEST(Fidelity, HoldsWhenEveryJudgedValueIsWithin) {
  const std::vector<Finding> found =
      fidelity_of({achieved("latency", 210, 190, 210), achieved("jitter", 190, 190, 210)});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].check, "fidelity/f");
  EXPECT_EQ(found[0].result, FindingResult::kHeld);
  EXPECT_EQ(
      found[0].message,
      "latency 210 ms for 200 ms requested, within 190 to 210 ms (100 samples); jitter 190 ms for 200 ms "
      "requested, within 190 to 210 ms (100 samples)");
}

TEST(Fidelity, OneValueOutsideMakesItUnknownAndComesFirst) {
  const std::vector<Finding> found =
      fidelity_of({achieved("latency", 200, 190, 210), achieved("jitter", 250, 190, 210)});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].result, FindingResult::kUnknown);
  EXPECT_THAT(found[0].message,
              ::testing::StartsWith("jitter 250 ms for 200 ms requested, outside 190 to 210 ms "
                                    "(100 samples); latency 200 ms"));
  for (const double outside : {189.9, 210.1, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(fidelity_of({achieved("latency", outside, 190, 210)})[0].result, FindingResult::kUnknown)
        << outside;
  }
}

TEST(Fidelity, WhatIsNotJudgedMakesNoFinding) {
  EXPECT_TRUE(fidelity_of({}).empty());
  EXPECT_TRUE(fidelity_of({achieved("latency", 900, 0, 0)}).empty());
  EXPECT_TRUE(fidelity_of({achieved("latency", 900, 190, 210, 0)}).empty());
  EXPECT_TRUE(fidelity_findings(small_experiment(), RunRecord{}).empty());
  EXPECT_EQ(fidelity_of({achieved("latency", 900, 0, 0), achieved("jitter", 200, 190, 210)})[0].result,
            FindingResult::kHeld);
  // A share of at most so much: the lower bound is zero, and it is judged.
  EXPECT_EQ(fidelity_of({achieved("loss", 0, 0, 0.5)}).size(), 1U);
}

TEST(Fidelity, AFaultOtherThanAskedForIsInconclusiveButHidesNothingWorse) {
  RunRecord record = run_with({achieved("latency", 250, 190, 210)});
  Judgement judgement = judge(small_experiment(), record);
  EXPECT_EQ(judgement.outcome, Outcome::kInconclusive);
  EXPECT_EQ(judgement.exit_code, 4);
  EXPECT_THAT(judgement.reason, HasSubstr("fidelity/f: latency 250 ms for 200 ms requested, outside"));
  spoil(record, 0, 2s, 3s, HealthState::kUnhealthy);
  EXPECT_EQ(judge(small_experiment(), record).outcome, Outcome::kFailed);

  judgement = judge(small_experiment(), run_with({achieved("latency", 200, 190, 210)}));
  EXPECT_EQ(judgement.outcome, Outcome::kPassed) << judgement.reason;
}

Experiment started_together() {
  Experiment experiment = small_experiment();
  Block block;
  block.parallel = block.together = true;
  block.steps = experiment.method.steps;
  experiment.method.steps = {{block}};
  return experiment;
}

Judgement judged_start(const std::function<void(FaultOutcome&)>& change) {
  RunRecord record = good_run();
  record.faults[0].planned_start = 1200ms;
  record.faults[0].status.mutable_effective_at()->set_seconds(1);
  change(record.faults[0]);
  return judge(started_together(), record);
}

Finding start_of(const Judgement& judgement) {
  for (const Finding& finding : judgement.findings) {
    if (finding.check == "start/f") return finding;
  }
  return {"none", FindingResult::kViolated, ""};
}

TEST(PlannedStart, HoldsWithinAFewMilliseconds) {
  for (const Nanos effective : {Nanos(1190ms), Nanos(1200ms), Nanos(1210ms)}) {
    const Judgement judgement = judged_start([&](FaultOutcome& fault) { fault.effective_at = effective; });
    EXPECT_EQ(start_of(judgement).result, FindingResult::kHeld);
    EXPECT_EQ(judgement.outcome, Outcome::kPassed) << judgement.reason;
  }
}

TEST(PlannedStart, ThatWasMissedIsInconclusive) {
  const Judgement judgement = judged_start([](FaultOutcome& fault) { fault.effective_at = 1700ms; });
  EXPECT_EQ(judgement.outcome, Outcome::kInconclusive);
  EXPECT_EQ(judgement.reason, "start/f: it started 500 ms after the planned moment");
}

TEST(PlannedStart, ThatNeverCameIsToldAsSuch) {
  const Judgement judgement = judged_start([](FaultOutcome& fault) {
    fault.status.clear_effective_at();
    fault.effective_at = fault.removed_at = 1100ms;
    fault.status.mutable_counters()->Clear();
  });
  EXPECT_EQ(start_of(judgement).result, FindingResult::kUnknown);
  EXPECT_EQ(start_of(judgement).message, "it was armed, and ended before its start");
  EXPECT_EQ(judgement.exit_code, 4);
  for (const Finding& finding : judgement.findings) {
    if (finding.check == "residue/f") {
      EXPECT_EQ(finding.result, FindingResult::kHeld);
    }
    if (finding.check == "effect/f") {
      EXPECT_EQ(finding.message, "it was armed, and ended before its start");
    }
  }
}

TEST(PlannedStart, IsAFindingOfTogetherBlocksAloneAndOfEveryRunOfThem) {
  EXPECT_TRUE(start_findings(small_experiment(), good_run()).empty());
  EXPECT_EQ(start_findings(started_together(), RunRecord{}).size(), 1U);
}

}  // namespace
}  // namespace faultline
