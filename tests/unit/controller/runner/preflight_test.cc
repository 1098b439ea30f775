#include "controller/experiment/preflight.h"

#include <gtest/gtest.h>

#include "controller/experiment/run_id.h"
#include "tests/unit/controller/runner/run_lab.h"

namespace faultline {
namespace {

using testing::RunLab;

TEST(Preflight, AsksForEveryFaultAndAppliesNone) {
  RunLab lab;
  lab.experiment.method = testing::serial(
      {{testing::fault_step("a", Nanos(1))}, {testing::parallel({{testing::fault_step("b", Nanos(1))}})}});
  const StatusOr<Preflight> checked = preflight(lab.experiment, "id", lab.agent);
  ASSERT_TRUE(checked.ok());
  EXPECT_EQ(checked->plans.size(), 2U);
  EXPECT_EQ(checked->plans[1].resolved_target(), "fake cgroup:/b");
  EXPECT_EQ(lab.agent.dry_runs(), 2U);
  EXPECT_EQ(lab.agent.applied(), 0U);
}

TEST(Preflight, RefusalCarriesThePlaceInTheFile) {
  const struct {
    StatusCode code;
    const char* message;
  } cases[] = {
      {StatusCode::kNotFound, "lab.yaml:13:5: fault slow: no"},
      {StatusCode::kPermissionDenied, "lab.yaml:13:5: fault slow: no"},
      {StatusCode::kInvalidArgument, "lab.yaml:12:3: fault slow: no"},
      {StatusCode::kUnimplemented, "lab.yaml:12:3: fault slow: no"},
      {StatusCode::kFailedPrecondition, "lab.yaml:12:3: fault slow: no"},
      {StatusCode::kUnavailable, "dry run of fault slow: no"},
  };
  for (const auto& one : cases) {
    RunLab lab;
    lab.agent.refuse_dry["slow"] = Status(one.code, "no");
    const Status status = preflight(lab.experiment, "id", lab.agent).status();
    EXPECT_EQ(status.code(), one.code);
    EXPECT_EQ(message_of(status), one.message);
  }
}

TEST(Preflight, MissingAgentIsUnavailable) {
  RunLab lab;
  lab.agent.lost = true;
  EXPECT_EQ(preflight(lab.experiment, "id", lab.agent).status().code(), StatusCode::kUnavailable);
}

TEST(RunId, SortsByTimeAndFitsTheAgent) {
  const WallTime time{std::chrono::seconds(1769854502)};
  EXPECT_EQ(make_run_id(time, 0x3f9a), "20260131T101502Z-3f9a");
  EXPECT_EQ(make_run_id(time, 7), "20260131T101502Z-0007");
  EXPECT_LT(make_run_id(time, 0xffff), make_run_id(time + std::chrono::seconds(1), 0));
}

TEST(FaultId, KeepsToTheAgentsAlphabetAndLength) {
  EXPECT_EQ(make_fault_id("run", 3, "slow metrics/\xc3\xbc"), "run.3.slow-metrics---");
  EXPECT_EQ(make_fault_id("20260131T101502Z-3f9a", 12, std::string(200, 'x')).size(), 64U);
}

}  // namespace
}  // namespace faultline
