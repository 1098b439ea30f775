// Several processes on one database, and processes that die while they write to it.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "controller/store/result_store.h"
#include "tests/unit/controller/report/sample_run.h"
#include "tests/unit/controller/store/temp_dir.h"

namespace faultline {
namespace {

constexpr int kFailed = 1;

// `body` in a process of its own; it must not use GoogleTest's assertions.
pid_t in_child(const std::function<bool()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body() ? 0 : kFailed);
  return pid;
}

int exit_status(pid_t pid) {
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return status;
}

void kill_and_wait(pid_t pid) {
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_TRUE(WIFSIGNALED(exit_status(pid)));
}

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
  std::vector<pid_t> children;
  for (int k = 0; k < 6; ++k) {
    children.push_back(in_child([&path, k] { return write_runs(path, fmt::format("p{}", k), 8); }));
  }
  for (pid_t child : children) EXPECT_EQ(exit_status(child), 0);
  const auto runs = open_sqlite_store(path).value()->list_runs(1000).value();
  EXPECT_EQ(runs.size(), 48u);
  for (const RunSummary& run : runs) EXPECT_EQ(run.state, StoredState::kFinished) << run.id;
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
  const pid_t child = in_child([&path] {
    if (!open_sqlite_store(path).value()->begin_run(sample_run("killed")).ok()) return false;
    for (;;) ::pause();
  });
  ASSERT_TRUE(eventually([&] { return store->get_run("killed").ok(); }));
  EXPECT_EQ(store->get_run("killed").value().summary.state, StoredState::kRunning);
  kill_and_wait(child);
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
  const pid_t child = in_child([&path] {
    // Larger than SQLite's page cache, so that uncommitted pages reach the file.
    return open_sqlite_store(path).value()->finish_run(sample_run("mine"), std::string(16'000'000, 'j')).ok();
  });
  const auto child_holds_lock = [&] { return sql(path, "BEGIN IMMEDIATE; ROLLBACK") == SQLITE_BUSY; };
  const auto wal_is_large = [&] { return std::filesystem::file_size(path + "-wal") > 8'000'000; };
  ASSERT_TRUE(eventually([&] { return child_holds_lock() && wal_is_large(); }));
  kill_and_wait(child);

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
