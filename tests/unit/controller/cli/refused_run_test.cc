// What a run that is refused leaves in the folder for the reports, and what becomes of an earlier run's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "controller/cli/halt_lever.h"
#include "controller/store/state_dir.h"
#include "tests/unit/controller/cli/commands_lab.h"

namespace faultline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RefusedRun : public testing::CommandsTest {
 protected:
  RefusedRun() {
    std::filesystem::create_directory(out_);
    std::ofstream(out_ + "/journal.json")
        << "{\n  \"schema_version\": 1,\n  \"faultline_version\": \"long ago\"";
    std::ofstream(out_ + "/junit.xml") << "<?xml version=\"1.0\"?>\n<testsuites name=\"faultline\" long ago>";
    std::ofstream(out_ + "/summary.md") << "# PASSED: shop\n\nlong ago\n\nRun `1`, started then";
    std::ofstream(out_ + "/notes.txt") << "mine";
    std::filesystem::create_directory(out_ + "/logs");
  }

  // The reports are of this run and say why it was refused; everything else is as it was.
  void expect_reports(const std::string& outcome, int exit_code, const std::string& reason) {
    const std::string code = std::to_string(exit_code);
    EXPECT_THAT(
        testing::file_text(out_ + "/journal.json"),
        AllOf(HasSubstr("\"outcome\": \"" + outcome + "\""), HasSubstr("\"exit_code\": " + code + ","),
              HasSubstr(reason), HasSubstr("\"findings\": []"), Not(HasSubstr("long ago"))));
    EXPECT_THAT(testing::file_text(out_ + "/junit.xml"),
                AllOf(HasSubstr("tests=\"1\" failures=\"0\" errors=\"1\""),
                      HasSubstr("<error type=\"" + outcome + "\" message=\""), HasSubstr(reason),
                      HasSubstr("<property name=\"exit_code\" value=\"" + code + "\"/>")));
    EXPECT_THAT(testing::file_text(out_ + "/summary.md"),
                AllOf(StartsWith("# " + outcome + ": "), HasSubstr("exit code " + code + ".")));
    EXPECT_EQ(testing::file_text(out_ + "/notes.txt"), "mine");
    EXPECT_EQ(names_in_out(),
              (std::set<std::string>{"journal.json", "junit.xml", "logs", "notes.txt", "summary.md"}));
    EXPECT_EQ(service_.agent.applied(), 0U);
  }

  std::set<std::string> names_in_out() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(out_)) names.insert(entry.path().filename());
    return names;
  }
};

TEST_F(RefusedRun, BadFile) {
  write_experiment("bogus: 1\n");
  EXPECT_EQ(run(), 2);
  expect_reports("REFUSED", 2, "unknown key");
  EXPECT_THAT(testing::file_text(out_ + "/summary.md"), HasSubstr("shop.yaml")) << "its name is not known";
}

TEST_F(RefusedRun, NoFile) {
  std::filesystem::remove(file_);
  EXPECT_EQ(run(), 2);
  expect_reports("REFUSED", 2, "No such file");
}

TEST_F(RefusedRun, MissingAgent) {
  global_.agent.address = "unix:" + dir_.path() + "/nobody.sock";
  EXPECT_EQ(run(), 7);
  expect_reports("INFRASTRUCTURE", 7, "is faultline-agent running");
  EXPECT_THAT(testing::file_text(out_ + "/summary.md"), StartsWith("# INFRASTRUCTURE: shop\n"));
}

TEST_F(RefusedRun, BadAgentAddress) {
  global_.agent.address = "127.0.0.1:7443";  // without certificates
  EXPECT_EQ(run(), 2);
  expect_reports("REFUSED", 2, "over TCP the agent wants certificates");
}

TEST_F(RefusedRun, RefusedTargetAndUnableNode) {
  service_.agent.refuse_dry["slow"] = make_error(StatusCode::kPermissionDenied, "it is protected");
  EXPECT_EQ(run(), 2);
  expect_reports("REFUSED", 2, "it is protected");
  service_.agent.refuse_dry["slow"] = make_error(StatusCode::kUnimplemented, "no netem here");
  EXPECT_EQ(run(), 3);
  expect_reports("PRECONDITION", 3, "no netem here");
}

TEST_F(RefusedRun, EngagedHalt) {
  ASSERT_TRUE(HaltLever(*state_dir()).engage("customers affected").ok());
  EXPECT_EQ(run(), 5);
  expect_reports("STOPPED", 5, "halt is engaged (customers affected)");
}

TEST_F(RefusedRun, DamagedStore) {
  global_.store = dir_.path() + "/damaged.db";
  std::ofstream(global_.store) << std::string(5000, 'x');
  EXPECT_EQ(run(), 7);
  expect_reports("INFRASTRUCTURE", 7, "damaged.db");
}

TEST_F(RefusedRun, MakesTheFolderItself) {
  std::filesystem::remove_all(out_);
  write_experiment("bogus: 1\n");
  EXPECT_EQ(run(), 2);
  EXPECT_EQ(names_in_out(), (std::set<std::string>{"journal.json", "junit.xml", "summary.md"}));
}

TEST_F(RefusedRun, WithoutAFolderOfItsOwnLeavesNothing) {
  write_experiment("bogus: 1\n");
  EXPECT_EQ(run_command(global_, RunArgs{file_, "", false}), 2);
  EXPECT_FALSE(std::filesystem::exists(*state_dir()));
}

TEST_F(RefusedRun, WhereTheOldReportsCannotBeRemoved) {
  std::filesystem::remove(out_ + "/summary.md");
  std::filesystem::create_directory(out_ + "/summary.md");
  EXPECT_EQ(run(), 2);
  EXPECT_EQ(service_.agent.dry_runs(), 0U);
  EXPECT_TRUE(std::filesystem::is_directory(out_ + "/summary.md"));
}

// A repository's own files, and a mistyped file name.
TEST_F(RefusedRun, WhatIsNoReportStaysAndSoDoTheReportsBesideIt) {
  const std::string report = testing::file_text(out_ + "/journal.json");
  const std::string suite = "<testsuites name=\"ctest\"/>";
  testing::put_file(out_ + "/junit.xml", suite);
  const auto expect_untouched = [&] {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(run(), 2);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                HasSubstr(out_ + "/junit.xml is no report of an earlier run"));
    EXPECT_EQ(testing::file_text(out_ + "/junit.xml"), suite);
    EXPECT_EQ(testing::file_text(out_ + "/journal.json"), report);
    EXPECT_EQ(names_in_out(),
              (std::set<std::string>{"journal.json", "junit.xml", "logs", "notes.txt", "summary.md"}));
    EXPECT_EQ(service_.agent.dry_runs(), 0U);
  };
  expect_untouched();
  write_experiment("bogus: 1\n");
  expect_untouched();
  std::filesystem::remove(file_);
  expect_untouched();
}

TEST_F(RefusedRun, ALinkIsNoReport) {
  std::filesystem::rename(out_ + "/summary.md", out_ + "/kept.md");
  std::filesystem::create_symlink("kept.md", out_ + "/summary.md");
  EXPECT_EQ(run(), 2);
  EXPECT_TRUE(std::filesystem::is_symlink(out_ + "/summary.md"));
  EXPECT_EQ(service_.agent.dry_runs(), 0U);
}

TEST_F(RefusedRun, ARunUnderWayLeavesNoOlderReportsEither) {
  write_experiment("", "10m");
  int exit_code = -1;
  std::thread runner([&] { exit_code = run(); });
  const MonoTime give_up = mono_now() + std::chrono::seconds(30);
  while (service_.agent.active() == 0 && mono_now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(names_in_out(), (std::set<std::string>{"logs", "notes.txt"})) << "as if it were killed now";
  EXPECT_TRUE(HaltLever(*state_dir()).engage("enough").ok());
  runner.join();
  EXPECT_EQ(exit_code, 5);
  EXPECT_THAT(testing::file_text(out_ + "/summary.md"), StartsWith("# STOPPED: shop"));
}

}  // namespace
}  // namespace faultline
