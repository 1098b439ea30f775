#include <gtest/gtest.h>

#include "controller/store/result_store.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/controller/report/sample_run.h"

namespace faultline {
namespace {

using testing::TempDir;

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_sqlite_store(dir_ / "results.db");
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  void add(const RunRecord& run, std::string_view journal = "{}") {
    ASSERT_EQ(store_->begin_run(run), ok_status());
    ASSERT_EQ(store_->finish_run(run, journal), ok_status());
  }

  TempDir dir_;
  std::unique_ptr<ResultStore> store_;
};

TEST_F(SqliteStoreTest, GivesBackWhatWasStored) {
  RunRecord run = sample_run();
  run.faults[0].status.add_residue("qdisc prio fa17: \"left\"");
  run.faults[0].error = "agent lost";
  run.judgement.findings[1].result = FindingResult::kViolated;
  run.judgement.findings[2].result = FindingResult::kUnknown;
  add(run, "{\"journal\": 1}");

  const StatusOr<StoredRun> found = store_->get_run(run.id);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->summary.id, run.id);
  EXPECT_EQ(found->summary.experiment, run.experiment);
  EXPECT_EQ(found->summary.state, StoredState::kFinished);
  EXPECT_EQ(found->summary.started, run.started);
  EXPECT_EQ(found->summary.duration, run.duration);
  EXPECT_EQ(found->summary.outcome, to_string(Outcome::kPassed));
  EXPECT_EQ(found->summary.exit_code, 0);
  EXPECT_EQ(found->summary.reason, run.judgement.reason);
  EXPECT_EQ(found->journal_json, "{\"journal\": 1}");

  ASSERT_EQ(found->findings.size(), run.judgement.findings.size());
  for (std::size_t k = 0; k < found->findings.size(); ++k) {
    EXPECT_EQ(found->findings[k].check, run.judgement.findings[k].check);
    EXPECT_EQ(found->findings[k].result, run.judgement.findings[k].result);
    EXPECT_EQ(found->findings[k].message, run.judgement.findings[k].message);
  }

  ASSERT_EQ(found->faults.size(), 1u);
  const StoredFault& fault = found->faults[0];
  const v1::FaultStatus& status = run.faults[0].status;
  EXPECT_EQ(fault.name, "slow-metrics");
  EXPECT_EQ(fault.id, "3f9a-slow-metrics");
  EXPECT_EQ(fault.kind, "delay");
  EXPECT_EQ(fault.target, "container:fl-demo-gateway");
  EXPECT_EQ(fault.resolved_target, status.resolved_target());
  EXPECT_EQ(fault.mechanism, status.mechanism());
  EXPECT_EQ(fault.effective_at, run.faults[0].effective_at);
  EXPECT_EQ(fault.removed_at, run.faults[0].removed_at);
  EXPECT_EQ(fault.counters.SerializeAsString(), status.counters().SerializeAsString());
  ASSERT_EQ(fault.achieved.size(), 1u);
  EXPECT_EQ(fault.achieved[0].SerializeAsString(), status.achieved(0).SerializeAsString());
  EXPECT_TRUE(fault.residue_checked);
  EXPECT_EQ(fault.residue, std::vector<std::string>{"qdisc prio fa17: \"left\""});
  EXPECT_EQ(fault.error, "agent lost");

  ASSERT_EQ(found->probes.size(), 1u);
  const ProbeSummary& probe = found->probes[0];
  EXPECT_EQ(probe.probe, "gateway");
  EXPECT_EQ(probe.samples, 40u);
  EXPECT_EQ(probe.degraded_share, 0.5);
  EXPECT_EQ(probe.unhealthy_share, 0);
  EXPECT_EQ(probe.time_to_detect->earliest, std::chrono::milliseconds(240));
  EXPECT_EQ(probe.time_to_detect->latest, std::chrono::milliseconds(490));
  EXPECT_EQ(probe.time_to_recover->earliest, std::chrono::milliseconds(500));
  EXPECT_EQ(probe.time_to_recover->latest, std::chrono::milliseconds(750));
}

TEST_F(SqliteStoreTest, KeepsNeverApartFromNotApplicable) {
  RunRecord run = sample_run();
  run.judgement.probes[0].time_to_detect.reset();
  run.judgement.probes[0].time_to_recover = Interval{std::chrono::seconds(10), std::nullopt};
  run.faults[0].removed_at.reset();
  add(run);
  const StoredRun found = store_->get_run(run.id).value();
  EXPECT_FALSE(found.probes[0].time_to_detect.has_value());
  ASSERT_TRUE(found.probes[0].time_to_recover.has_value());
  EXPECT_FALSE(found.probes[0].time_to_recover->latest.has_value());
  EXPECT_FALSE(found.faults[0].removed_at.has_value());
}

TEST_F(SqliteStoreTest, TellsOfAFaultThatWasNeverAppliedByItsPlan) {
  RunRecord run = sample_run();
  run.faults[0].status.Clear();
  run.faults[0].effective_at.reset();
  add(run);
  const StoredFault fault = store_->get_run(run.id).value().faults[0];
  EXPECT_EQ(fault.kind, "delay");
  EXPECT_EQ(fault.mechanism, run.faults[0].plan.mechanism());
  EXPECT_FALSE(fault.residue_checked);
  EXPECT_TRUE(fault.achieved.empty());
}

TEST_F(SqliteStoreTest, KeepsTextOfAnyContent) {
  const std::string odd = std::string("nul \0 quote ' \" newline \n", 25) +
                          "l\xC3\xA4uft \xF0\x9F\x94\xA5 '); DROP TABLE runs;--";
  RunRecord run = sample_run();
  run.experiment = odd;
  run.judgement.reason = odd;
  run.judgement.findings[0].message = odd;
  add(run, odd);
  const StoredRun found = store_->get_run(run.id).value();
  EXPECT_EQ(found.summary.experiment, odd);
  EXPECT_EQ(found.summary.reason, odd);
  EXPECT_EQ(found.findings[0].message, odd);
  EXPECT_EQ(found.journal_json, odd);
}

TEST_F(SqliteStoreTest, StoresFindingsOfTheSameNameRatherThanLoseTheRun) {
  RunRecord run = sample_run();
  run.judgement.findings[1] = run.judgement.findings[0];
  run.faults.push_back(run.faults[0]);
  add(run);
  EXPECT_EQ(store_->get_run(run.id).value().faults.size(), 2u);
}

TEST_F(SqliteStoreTest, RefusesAnIdThatIsTaken) {
  ASSERT_TRUE(store_->begin_run(sample_run("a")).ok());
  EXPECT_EQ(store_->begin_run(sample_run("a")).code(), StatusCode::kAlreadyExists);
}

TEST_F(SqliteStoreTest, RefusesToFinishWhatWasNotBegun) {
  EXPECT_EQ(store_->finish_run(sample_run("a"), "{}").code(), StatusCode::kNotFound);
  EXPECT_TRUE(store_->list_runs(10).value().empty());
}

TEST_F(SqliteStoreTest, NeverOverwritesAResult) {
  add(sample_run("a"), "first");
  RunRecord again = sample_run("a");
  again.judgement.outcome = Outcome::kFailed;
  EXPECT_EQ(store_->finish_run(again, "second").code(), StatusCode::kFailedPrecondition);
  const StoredRun found = store_->get_run("a").value();
  EXPECT_EQ(found.journal_json, "first");
  EXPECT_EQ(found.summary.outcome, to_string(Outcome::kPassed));
}

TEST_F(SqliteStoreTest, ShowsABegunRunAsRunning) {
  ASSERT_TRUE(store_->begin_run(sample_run("a")).ok());
  const StoredRun found = store_->get_run("a").value();
  EXPECT_EQ(found.summary.state, StoredState::kRunning);
  EXPECT_FALSE(found.summary.exit_code.has_value());
  EXPECT_EQ(found.journal_json, "");
}

TEST_F(SqliteStoreTest, ListsTheNewestFirstUpToTheLimit) {
  for (int k : {2, 0, 3, 1}) {
    RunRecord run = sample_run(fmt::format("run-{}", k));
    run.started += std::chrono::hours(k);
    add(run);
  }
  const std::vector<RunSummary> listed = store_->list_runs(3).value();
  std::vector<std::string> ids;
  for (const RunSummary& run : listed) ids.push_back(run.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"run-3", "run-2", "run-1"}));
}

TEST_F(SqliteStoreTest, FindsARunByAUniquePrefix) {
  for (const char* id : {"2026a-1", "2026a-2", "2026b", "2026"}) add(sample_run(id));
  EXPECT_EQ(store_->get_run("2026b").value().summary.id, "2026b");
  EXPECT_EQ(store_->get_run("2026a-1").value().summary.id, "2026a-1");
  EXPECT_EQ(store_->get_run("2026").value().summary.id, "2026") << "an exact id wins over longer ones";
  const Status ambiguous = store_->get_run("2026a").status();
  EXPECT_EQ(ambiguous.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(message_of(ambiguous).find("2026a-1, 2026a-2"), std::string::npos) << ambiguous;
  EXPECT_EQ(store_->get_run("2027").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store_->get_run("").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(SqliteStoreTest, TakesNoWildcardsInPrefixes) {
  add(sample_run("2026"));
  for (const char* pattern : {"%", "_026", "2*", "[2]"}) {
    EXPECT_EQ(store_->get_run(pattern).status().code(), StatusCode::kNotFound) << pattern;
  }
}

}  // namespace
}  // namespace faultline
