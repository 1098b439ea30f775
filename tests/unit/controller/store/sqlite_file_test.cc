// The database as a file: created, brought up to date, refused; never destroyed.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "controller/store/sqlite_schema.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/controller/report/sample_run.h"

namespace faultline {
namespace {

using testing::file_text;
using testing::put_file;
using testing::TempDir;

// Straight to SQLite, past the code under test. The first column of the first row, or "".
std::string sql(const std::string& path, const std::string& text) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  std::string answer;
  const auto keep_first = [](void* out, int columns, char** values, char**) {
    auto& first = *static_cast<std::string*>(out);
    if (first.empty() && columns > 0 && values[0] != nullptr) first = values[0];
    return 0;
  };
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(db, text.c_str(), keep_first, &answer, &error), SQLITE_OK) << error << ": " << text;
  sqlite3_free(error);
  sqlite3_close(db);
  return answer;
}

std::vector<std::string_view> with(std::string_view next) {
  std::vector<std::string_view> steps(sqlite_migrations().begin(), sqlite_migrations().end());
  steps.push_back(next);
  return steps;
}

// Creates the database of today with one run in it.
void put_database(const std::string& path) {
  auto store = open_sqlite_store(path);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_TRUE((*store)->begin_run(sample_run("old")).ok());
  ASSERT_TRUE((*store)->finish_run(sample_run("old"), "{}").ok());
}

TEST(SqliteFile, IsCreatedWithItsFolders) {
  TempDir dir;
  const std::string path = dir / "state/faultline/results.db";
  put_database(path);
  EXPECT_EQ(sql(path, "PRAGMA user_version"), std::to_string(sqlite_migrations().size()));
  EXPECT_EQ(sql(path, "PRAGMA application_id"), std::to_string(kSqliteApplicationId));
  EXPECT_EQ(sql(path, "PRAGMA journal_mode"), "wal");
  EXPECT_EQ(sql(path, "PRAGMA integrity_check"), "ok");
  EXPECT_EQ(sql(path, "PRAGMA foreign_key_check"), "");
}

TEST(SqliteFile, AnEmptyFileBecomesADatabase) {
  TempDir dir;
  put_file(dir / "results.db", "");
  put_database(dir / "results.db");
}

TEST(SqliteFile, AnOlderDatabaseIsBroughtUpToDateAndKeepsItsRuns) {
  TempDir dir;
  const std::string path = dir / "results.db";
  put_database(path);
  const auto steps = with("ALTER TABLE runs ADD COLUMN suite TEXT; CREATE TABLE more (x INTEGER) STRICT;");
  for (int time = 0; time < 2; ++time) {
    auto store = open_sqlite_store_at(path, steps);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->get_run("old").value().findings.size(), 5u);
  }
  EXPECT_EQ(sql(path, "PRAGMA user_version"), std::to_string(steps.size()));
  EXPECT_EQ(sql(path, "SELECT count(*) FROM more"), "0");
}

TEST(SqliteFile, ADatabaseOfTheFirstLayoutTakesToleratedValues) {
  TempDir dir;
  const std::string path = dir / "results.db";
  {
    auto store = open_sqlite_store_at(path, sqlite_migrations().first(1));
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->begin_run(sample_run("old")).ok());
  }
  EXPECT_EQ(sql(path, "PRAGMA user_version"), "1");
  auto store = open_sqlite_store(path);
  ASSERT_TRUE(store.ok()) << store.status();
  RunRecord run = sample_run("old");
  *run.faults[0].status.add_achieved() = run.faults[0].status.achieved(0);
  run.faults[0].status.mutable_achieved(1)->clear_tolerated_low();
  run.faults[0].status.mutable_achieved(1)->clear_tolerated_high();
  ASSERT_TRUE((*store)->finish_run(run, "{}").ok());
  const std::vector<v1::Achieved> found = (*store)->get_run("old").value().faults.at(0).achieved;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].tolerated_high(), 210);
  EXPECT_EQ(found[1].tolerated_high(), 0);
  EXPECT_EQ(sql(path, "SELECT count(*) FROM fault_achieved WHERE tolerated_low IS NULL"), "1");
}

TEST(SqliteFile, AStepThatFailsLeavesTheOldLayout) {
  TempDir dir;
  const std::string path = dir / "results.db";
  put_database(path);
  EXPECT_FALSE(
      open_sqlite_store_at(path, with("CREATE TABLE more (x INTEGER); CREATE TABLE runs (y);")).ok());
  EXPECT_EQ(sql(path, "PRAGMA user_version"), std::to_string(sqlite_migrations().size()));
  EXPECT_EQ(sql(path, "SELECT count(*) FROM sqlite_master WHERE name = 'more'"), "0");
  auto store = open_sqlite_store(path);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->get_run("old").ok());
}

TEST(SqliteFile, ANewerDatabaseIsRefusedAndLeftAlone) {
  TempDir dir;
  const std::string path = dir / "results.db";
  put_database(path);
  sql(path, "PRAGMA user_version = 99");
  const std::string before = file_text(path);
  const Status refused = open_sqlite_store(path).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(message_of(refused).find("newer Faultline (layout 99"), std::string::npos) << refused;
  EXPECT_TRUE(file_text(path) == before) << "the file was changed";
}

TEST(SqliteFile, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
  TempDir dir;
  const std::string path = dir / "bookmarks.db";
  for (const char* other :
       {"CREATE TABLE bookmarks (url)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"}) {
    std::filesystem::remove(path);
    sql(path, other);
    const std::string before = file_text(path);
    const Status refused = open_sqlite_store(path).status();
    EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition) << other;
    EXPECT_NE(message_of(refused).find("another program"), std::string::npos) << refused;
    EXPECT_TRUE(file_text(path) == before) << "the file was changed";
  }
}

TEST(SqliteFile, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  TempDir dir;
  const std::string path = dir / "results.db";
  const std::string text(5000, 'n');
  put_file(path, text);
  const Status refused = open_sqlite_store(path).status();
  EXPECT_EQ(refused.code(), StatusCode::kDataLoss) << refused;
  EXPECT_NE(message_of(refused).find(path), std::string::npos) << refused;
  EXPECT_TRUE(file_text(path) == text) << "the file was changed";
}

TEST(SqliteFile, ADamagedDatabaseIsToldAndLeftAlone) {
  TempDir dir;
  const std::string path = dir / "results.db";
  put_database(path);
  std::string bytes = file_text(path);
  ASSERT_GT(bytes.size(), 8192u);
  for (std::size_t at = 4096; at < bytes.size(); ++at) bytes[at] = '\x5A';  // all pages but the first
  put_file(path, bytes);
  auto store = open_sqlite_store(path);
  const Status status = store.ok() ? (*store)->get_run("old").status() : store.status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
  EXPECT_EQ(store.ok() ? (*store)->begin_run(sample_run("new")).code() : StatusCode::kDataLoss,
            StatusCode::kDataLoss);
  store = make_error(StatusCode::kCancelled, "closed");
  EXPECT_TRUE(file_text(path) == bytes) << "the file was changed";
}

TEST(SqliteFile, APlaceThatCannotHoldItIsAClearError) {
  TempDir dir;
  put_file(dir / "file", "");
  std::filesystem::create_directory(dir / "folder");
  for (const std::string& path : {dir / "file/results.db", dir / "folder"}) {
    const Status refused = open_sqlite_store(path).status();
    EXPECT_FALSE(refused.ok());
    EXPECT_TRUE(message_of(refused).starts_with("results database: ")) << refused;
    EXPECT_NE(message_of(refused).find(dir.path()), std::string::npos) << refused;
  }
}

}  // namespace
}  // namespace faultline
