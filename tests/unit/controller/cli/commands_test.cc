// The subcommands from end to end.
#include "controller/cli/commands.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "controller/cli/halt_lever.h"
#include "controller/store/result_store.h"
#include "controller/store/state_dir.h"
#include "tests/unit/controller/cli/commands_lab.h"

namespace faultline {
namespace {

using testing::CommandsTest;

TEST_F(CommandsTest, RunPassesAndKeepsItsResults) {
  EXPECT_EQ(run(), 0);
  for (const char* name : {"journal.json", "junit.xml", "summary.md"}) {
    EXPECT_TRUE(std::filesystem::exists(out_ + "/" + name)) << name;
  }
  const auto store = *open_sqlite_store(*default_store_path());
  const std::vector<RunSummary> runs = *store->list_runs(10);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].outcome, "PASSED");
  EXPECT_EQ(runs_command(global_, RunsArgs{}), 0);
  EXPECT_EQ(runs_command(global_, RunsArgs{runs[0].id.substr(0, 8)}), 0);
  EXPECT_EQ(runs_command(global_, RunsArgs{"nope"}), 2);
}

TEST_F(CommandsTest, FaultsStartTogetherOverTheWire) {
  std::ofstream(file_)
      << "apiVersion: faultline/v1\nkind: Experiment\nname: shop\n"
      << "steadyState:\n  every: 20ms\n  baseline: 100ms\n  probes:\n"
      << "    - { name: web, timeout: 20s, http: { url: \"" << web_.url("/") << "\" } }\n"
      << "method:\n  - together:\n"
      << "      - fault: { name: a, target: \"cgroup:/shop\", for: 300ms, reject: {} }\n"
      << "      - fault: { name: b, target: \"cgroup:/shop\", for: 300ms, dns: { answer: timeout } }\n"
      << "recovery: { within: 20s, stable: 100ms }\n";
  EXPECT_EQ(run(), 0);
  std::ifstream stream(out_ + "/journal.json");
  const std::string journal{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_NE(journal.find("\"check\": \"start/a\""), std::string::npos);
  EXPECT_NE(journal.find("\"uncertainty_ns\""), std::string::npos);
}

TEST_F(CommandsTest, RunWithoutStoreRecordsNothing) {
  EXPECT_EQ(run_command(global_, RunArgs{file_, out_, true}), 0);
  EXPECT_FALSE(std::filesystem::exists(*default_store_path()));
}

TEST_F(CommandsTest, WrongFileTouchesNothing) {
  write_experiment("bogus: 1\n");
  EXPECT_EQ(run(), 2);
  EXPECT_EQ(validate_command(global_, ValidateArgs{file_}), 2);
  EXPECT_EQ(plan_command(global_, PlanArgs{file_}), 2);
  EXPECT_EQ(validate_command(global_, ValidateArgs{dir_.path() + "/none.yaml"}), 2);
  EXPECT_EQ(service_.agent.dry_runs(), 0U);
}

TEST_F(CommandsTest, RefusedTargetIsUsageAndUnableNodeIsPrecondition) {
  service_.agent.refuse_dry["slow"] = make_error(StatusCode::kPermissionDenied, "protected");
  EXPECT_EQ(run(), 2);
  service_.agent.refuse_dry["slow"] = make_error(StatusCode::kUnimplemented, "no netem");
  EXPECT_EQ(run(), 3);
  EXPECT_EQ(plan_command(global_, PlanArgs{file_}), 3);
  EXPECT_EQ(service_.agent.applied(), 0U);
}

TEST_F(CommandsTest, PlanAppliesNothing) {
  EXPECT_EQ(plan_command(global_, PlanArgs{file_}), 0);
  EXPECT_EQ(service_.agent.applied(), 0U);
  EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/state"));
}

TEST_F(CommandsTest, MissingAgentIsInfrastructure) {
  global_.agent.address = "unix:" + dir_.path() + "/nobody.sock";
  EXPECT_EQ(run(), 7);
  EXPECT_EQ(doctor_command(global_, DoctorArgs{}), 7);
  EXPECT_EQ(plan_command(global_, PlanArgs{file_}), 7);
  EXPECT_EQ(validate_command(global_, ValidateArgs{file_}), 0);
}

TEST_F(CommandsTest, BadAgentAddressIsUsage) {
  global_.agent.address = "127.0.0.1:7443";  // without certificates
  EXPECT_EQ(run(), 2);
  EXPECT_EQ(doctor_command(global_, DoctorArgs{}), 2);
}

TEST_F(CommandsTest, DamagedStoreEndsTheRunBeforeAnythingIsTouched) {
  global_.store = dir_.path() + "/damaged.db";
  std::ofstream(global_.store) << std::string(5000, 'x');
  EXPECT_EQ(run(), 7);
  EXPECT_EQ(service_.agent.applied(), 0U);
}

TEST_F(CommandsTest, DoctorTellsWhetherAllKindsWork) {
  EXPECT_EQ(doctor_command(global_, DoctorArgs{}), 0);
  EXPECT_EQ(doctor_command(global_, DoctorArgs{.json = true}), 0);
  service_.all_supported = false;
  EXPECT_EQ(doctor_command(global_, DoctorArgs{.markdown = true}), 1);
}

TEST_F(CommandsTest, HaltStopsStartsUntilReleased) {
  EXPECT_EQ(halt_command(global_, HaltArgs{"too much", false}), 0);
  EXPECT_EQ(halt_command(global_, HaltArgs{"again", false}), 0);
  EXPECT_EQ(run(), 5);
  EXPECT_EQ(service_.agent.dry_runs(), 0U);
  EXPECT_EQ(halt_command(global_, HaltArgs{"", true}), 0);
  EXPECT_EQ(halt_command(global_, HaltArgs{"", true}), 0);
  EXPECT_EQ(run(), 0);
}

TEST_F(CommandsTest, HaltEndsRunUnderWay) {
  write_experiment("", "10m");
  int exit_code = -1;
  std::thread runner([&] { exit_code = run(); });
  const MonoTime give_up = mono_now() + std::chrono::seconds(30);
  while (service_.agent.active() == 0 && mono_now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(halt_command(global_, HaltArgs{"enough", false}), 0);
  runner.join();
  EXPECT_EQ(exit_code, 5);
  EXPECT_EQ(service_.agent.active(), 0U);
}

TEST_F(CommandsTest, HaltTellsResidue) {
  v1::ApplyRequest request;
  request.set_id("x.0.slow");
  request.mutable_lease()->set_seconds(600);
  request.mutable_duration()->set_seconds(600);
  ASSERT_TRUE(service_.agent.apply(request).ok());
  service_.agent.residue = {"a qdisc"};
  EXPECT_EQ(halt_command(global_, HaltArgs{"", false}), 6);
}

TEST_F(CommandsTest, HaltTellsResidueOfWhatTheRunEndedItself) {
  write_experiment("", "10m");
  service_.agent.clock_skew = -std::chrono::hours(1);  // the node says that it ended long ago
  service_.agent.residue = {"a qdisc"};
  int exit_code = -1;
  std::thread runner([&] { exit_code = run(); });
  const MonoTime give_up = mono_now() + std::chrono::seconds(30);
  while (service_.agent.active() == 0 && mono_now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(halt_command(global_, HaltArgs{"enough", false}), 6);
  runner.join();
  EXPECT_EQ(exit_code, 6);
}

TEST_F(CommandsTest, HaltKeepsItsLeverWhereNoAgentAnswers) {
  global_.agent.address = "unix:" + dir_.path() + "/nobody.sock";
  EXPECT_EQ(halt_command(global_, HaltArgs{"why", false}), 7);
  EXPECT_EQ(HaltLever(*state_dir()).engaged(), "why");
}

}  // namespace
}  // namespace faultline
