#include "controller/report/own_report.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "controller/report/report.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/controller/report/sample_run.h"

namespace faultline {
namespace {

using testing::file_text;
using testing::put_file;
using testing::TempDir;

TEST(OwnReport, WhatARunLeavesIsOne) {
  const Experiment experiment = sample_experiment();
  RunRecord run = sample_run();
  for (int k = 0; k <= static_cast<int>(Outcome::kRefused); ++k) {
    run.judgement.outcome = static_cast<Outcome>(k);
    EXPECT_TRUE(is_own_report("journal.json", journal_json(experiment, run))) << k;
    EXPECT_TRUE(is_own_report("junit.xml", junit_xml(experiment, run))) << k;
    EXPECT_TRUE(is_own_report("summary.md", markdown_summary(experiment, run))) << k;
  }
  const RunRecord bare;  // as little as a refused run may know
  EXPECT_TRUE(is_own_report("journal.json", journal_json({}, bare)));
  EXPECT_TRUE(is_own_report("junit.xml", junit_xml({}, bare)));
  EXPECT_TRUE(is_own_report("summary.md", markdown_summary({}, bare)));
}

TEST(OwnReport, AnEmptyFileCountsAsOne) {
  for (const char* name : {"journal.json", "junit.xml", "summary.md"}) EXPECT_TRUE(is_own_report(name, ""));
}

TEST(OwnReport, WhatOthersWriteIsNone) {
  EXPECT_FALSE(is_own_report("journal.json", "{\"schema_version\": 1, \"entries\": []}"));
  EXPECT_FALSE(is_own_report("journal.json", "notes on \"faultline_version\":"));
  EXPECT_FALSE(is_own_report("junit.xml", "<?xml version=\"1.0\"?>\n<testsuites name=\"ctest\">"));
  EXPECT_FALSE(is_own_report("junit.xml", "<?xml version=\"1.0\"?>\n<testsuite name=\"faultline\">"));
  EXPECT_FALSE(is_own_report("summary.md", "# Summary\n\n* [Start](start.md)\n"));
  EXPECT_FALSE(is_own_report("summary.md", "# TODO: this\n\nRun `make`, then wait\n"));
  EXPECT_FALSE(is_own_report("summary.md", "# : this\n\nRun `1`, started then\n"));
  EXPECT_FALSE(is_own_report("summary.md", "# TODO"));
  EXPECT_FALSE(is_own_report("notes.txt", "mine"));
  const std::string journal = journal_json(sample_experiment(), sample_run());
  EXPECT_FALSE(is_own_report("summary.md", journal)) << "another's name";
}

TEST(ClearReports, RemovesReportsAndNothingElse) {
  TempDir dir;
  ASSERT_TRUE(write_reports(sample_experiment(), sample_run(), dir / "out").ok());
  put_file(dir / "out/notes.txt", "mine");
  EXPECT_TRUE(clear_reports(dir / "out").ok());
  const auto entries = std::filesystem::directory_iterator(dir / "out");
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
  EXPECT_TRUE(clear_reports(dir / "out").ok()) << "there are none";
}

TEST(ClearReports, RemovesNothingWhereOneIsNoReport) {
  TempDir dir;
  for (const char* name : {"journal.json", "junit.xml", "summary.md"}) {
    ASSERT_TRUE(write_reports(sample_experiment(), sample_run(), dir / "out").ok());
    const std::string foreign = dir / "out/" + name;
    put_file(foreign, "mine");
    const Status refused = clear_reports(dir / "out");
    EXPECT_EQ(refused.code(), StatusCode::kAlreadyExists) << refused;
    EXPECT_NE(refused.message().find(foreign), std::string::npos) << refused;
    EXPECT_EQ(file_text(foreign), "mine");
    const auto entries = std::filesystem::directory_iterator(dir / "out");
    EXPECT_EQ(std::distance(begin(entries), end(entries)), 3) << name;
  }
}

TEST(ClearReports, AFolderALinkAndAPipeAreNoReports) {
  TempDir dir;
  const auto refused = [&] { return clear_reports(dir / "out").code() == StatusCode::kAlreadyExists; };
  const std::string place = dir / "out/summary.md";
  std::filesystem::create_directories(place);
  EXPECT_TRUE(refused());
  std::filesystem::remove(place);
  std::filesystem::create_symlink("nowhere", place);
  EXPECT_TRUE(refused());
  std::filesystem::remove(place);
  ASSERT_EQ(::mkfifo(place.c_str(), 0600), 0);
  EXPECT_TRUE(refused());
}

}  // namespace
}  // namespace faultline
