// Several processes on one database, and processes that die while they write to it.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>
#include <utility>

#include "controller/store/result_store.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/controller/report/sample_run.h"

namespace faultline {
namespace {

using testing::TempDir;

// `body` in a process of its own, which never outlives the object. It must not use GoogleTest's assertions.
class Child {
 public:
  explicit Child(const std::function<bool()>& body) : pid_(::fork()) {
    if (pid_ == 0) ::_exit(body() ? 0 : 1);
  }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ~Child() {
    if (pid_ > 0) kill();
  }
  int exit_status() {
    int status = -1;
    EXPECT_GT(::waitpid(std::exchange(pid_, -1), &status, 0), 0);
    return status;
  }
  // True when it was still alive.
  bool kill() {
    ::kill(pid_, SIGKILL);
    return WIFSIGNALED(exit_status());
  }

 private:
  pid_t pid_;
};

int sql(const std::string& path, const std::string& text) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  const int code = sqlite3_exec(db, text.c_str(), nullptr, nullptr, nullptr);
  sqlite3_close(db);
  return code;
}

bool eventually(const std::function<bool()>& condition) {
  for (int k = 0; k < 2000; ++k) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

bool write_runs(const std::string& path, const std::string& prefix, int count) {
  auto store = open_sqlite_store(path);
  if (!store.ok()) return false;
  for (int k = 0; k < count; ++k) {
    const RunRecord run = sample_run(fmt::format("{}-{}", prefix, k));
    if (!(*store)->begin_run(run).ok() || !(*store)->finish_run(run, std::string(50'000, 'j')).ok())
      return false;
  }
  return true;
}

TEST(SqliteProcesses, AllThatStartOnAFreshFileAtOnceSucceed) {
  TempDir dir;
  const std::string path = dir / "results.db";
  std::vector<Child> children;
  for (int k = 0; k < 6; ++k) {
    children.emplace_back([&path, k] { return write_runs(path, fmt::format("p{}", k), 8); });
  }
  for (Child& child : children) EXPECT_EQ(child.exit_status(), 0);
  const auto runs = open_sqlite_store(path).value()->list_runs(1000).value();
  EXPECT_EQ(runs.size(), 48u);
  for (const RunSummary& run : runs) EXPECT_EQ(run.state, StoredState::kFinished) << run.id;
}

TEST(SqliteProcesses, ADatabaseThatAnotherIsJustCreatingIsNotTakenForAForeignOne) {
  TempDir dir;
  for (int round = 0; round < 10; ++round) {
    const std::string path = dir / fmt::format("{}/results.db", round);
    std::vector<Child> children;
    for (int k = 0; k < 6; ++k) children.emplace_back([&path] { return open_sqlite_store(path).ok(); });
    for (Child& child : children) EXPECT_EQ(child.exit_status(), 0) << "round " << round;
  }
}

TEST(SqliteProcesses, OpeningWaitsForAWriterOfADatabaseThatHasNoWriteAheadLogYet) {
  TempDir dir;
  const std::string path = dir / "results.db";
  ASSERT_TRUE(open_sqlite_store(path).ok());
  ASSERT_EQ(sql(path, "PRAGMA journal_mode = DELETE"), SQLITE_OK);
  sqlite3* writer = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &writer), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(writer, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  std::thread release([writer] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    sqlite3_exec(writer, "COMMIT", nullptr, nullptr, nullptr);
  });
  const Status opened = open_sqlite_store(path).status();
  release.join();
  sqlite3_close(writer);
  EXPECT_EQ(opened, ok_status());
}

TEST(SqliteProcesses, TwoStoresOfOneProcessWriteAtOnce) {
  TempDir dir;
  const std::string path = dir / "results.db";
  bool ok_a = false;
  bool ok_b = false;
  std::thread a([&] { ok_a = write_runs(path, "a", 20); });
  std::thread b([&] { ok_b = write_runs(path, "b", 20); });
  a.join();
  b.join();
  EXPECT_TRUE(ok_a && ok_b);
  EXPECT_EQ(open_sqlite_store(path).value()->list_runs(1000).value().size(), 40u);
}

TEST(SqliteProcesses, ARunWhoseProcessWasKilledIsShownAsLost) {
  TempDir dir;
  const std::string path = dir / "results.db";
  auto store = open_sqlite_store(path).value();
  Child child([&path] {
    if (!open_sqlite_store(path).value()->begin_run(sample_run("killed")).ok()) return false;
    for (;;) ::pause();
  });
  ASSERT_TRUE(eventually([&] { return store->get_run("killed").ok(); }));
  EXPECT_EQ(store->get_run("killed").value().summary.state, StoredState::kRunning);
  ASSERT_TRUE(child.kill());
  EXPECT_EQ(store->get_run("killed").value().summary.state, StoredState::kLost);
  EXPECT_EQ(store->list_runs(10).value()[0].state, StoredState::kLost);
}

// A trigger on the last table that finish_run() writes keeps it busy there, with everything else written
// already.
constexpr const char* kStallInside =
    "CREATE TRIGGER stall AFTER INSERT ON probe_summaries BEGIN "
    "SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < "
    "10000000000) "
    "SELECT x FROM n); END";

TEST(SqliteProcesses, KilledInsideFinishNothingOfItIsStored) {
  TempDir dir;
  const std::string path = dir / "results.db";
  auto store = open_sqlite_store(path).value();
  ASSERT_TRUE(store->begin_run(sample_run("mine")).ok());
  ASSERT_EQ(sql(path, kStallInside), SQLITE_OK);
  Child child([&path] {
    // Larger than SQLite's page cache, so that uncommitted pages reach the file.
    return open_sqlite_store(path).value()->finish_run(sample_run("mine"), std::string(16'000'000, 'j')).ok();
  });
  const auto child_holds_lock = [&] { return sql(path, "BEGIN IMMEDIATE; ROLLBACK") == SQLITE_BUSY; };
  const auto wal_is_large = [&] { return std::filesystem::file_size(path + "-wal") > 8'000'000; };
  ASSERT_TRUE(eventually([&] { return child_holds_lock() && wal_is_large(); }));
  ASSERT_TRUE(child.kill());

  const StoredRun found = store->get_run("mine").value();
  EXPECT_EQ(found.summary.state, StoredState::kRunning);
  EXPECT_TRUE(found.findings.empty() && found.faults.empty() && found.probes.empty());
  EXPECT_EQ(found.journal_json, "");

  ASSERT_EQ(sql(path, "DROP TRIGGER stall"), SQLITE_OK);
  ASSERT_EQ(store->finish_run(sample_run("mine"), "{}"), ok_status());
  EXPECT_EQ(store->get_run("mine").value().probes.size(), 1u);
}

TEST(SqliteProcesses, AnErrorInsideFinishStoresNothing) {
  TempDir dir;
  const std::string path = dir / "results.db";
  auto store = open_sqlite_store(path).value();
  ASSERT_TRUE(store->begin_run(sample_run("mine")).ok());
  ASSERT_EQ(sql(path,
                "CREATE TRIGGER refuse AFTER INSERT ON probe_summaries BEGIN "
                "SELECT RAISE(FAIL, 'no more room'); END"),
            SQLITE_OK);
  const Status failed = store->finish_run(sample_run("mine"), "{}");
  EXPECT_NE(message_of(failed).find("no more room"), std::string::npos) << failed;
  const StoredRun found = store->get_run("mine").value();
  EXPECT_EQ(found.summary.state, StoredState::kRunning);
  EXPECT_TRUE(found.findings.empty() && found.probes.empty() && found.journal_json.empty());
  ASSERT_EQ(sql(path, "DROP TRIGGER refuse"), SQLITE_OK);
  EXPECT_EQ(store->finish_run(sample_run("mine"), "{}"), ok_status());
}

}  // namespace
}  // namespace faultline
