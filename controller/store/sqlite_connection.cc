#include "controller/store/sqlite_connection.h"

#include <sqlite3.h>

#include <chrono>
#include <thread>

#include "common/clock.h"
#include "controller/store/atomic_file.h"
#include "controller/store/sqlite_schema.h"

namespace faultline {
namespace {

constexpr std::chrono::milliseconds kBusyTimeout{10'000};

int pragma(SQLite::Database& db, const std::string& name) {
  return db.execAndGet(fmt::format("PRAGMA {}", name)).getInt();
}

// The version of a database that is ours, or new and empty (then 0). Called inside a transaction: it reads
// three things, between which another process may be creating the database.
StatusOr<int> version_of(SQLite::Database& db, const std::string& path, int newest) {
  const int application = pragma(db, "application_id");
  const int version = pragma(db, "user_version");
  const bool empty = db.execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 0;
  if (application != kSqliteApplicationId && !(empty && application == 0 && version == 0)) {
    return make_error(StatusCode::kFailedPrecondition,
                      "{}: is the database of another program, not a results database of Faultline", path);
  }
  if (version > newest) {
    return make_error(StatusCode::kFailedPrecondition,
                      "{}: was written by a newer Faultline (layout {}, this one knows up to {}); "
                      "update this program or choose another file with --store",
                      path, version, newest);
  }
  return version;
}

Status migrate(SQLite::Database& db, const std::string& path, std::span<const std::string_view> migrations) {
  const int newest = static_cast<int>(migrations.size());
  {
    SQLite::Transaction one_snapshot(db);
    FL_ASSIGN_OR_RETURN(const int seen, version_of(db, path, newest));
    if (seen == newest) return ok_status();
  }
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  // Asked again under the lock: another process may just have done it.
  FL_ASSIGN_OR_RETURN(const int version, version_of(db, path, newest));
  for (int k = version; k < newest; ++k) db.exec(std::string(migrations[static_cast<std::size_t>(k)]));
  db.exec(fmt::format("PRAGMA application_id = {}", kSqliteApplicationId));
  db.exec(fmt::format("PRAGMA user_version = {}", newest));
  transaction.commit();
  return ok_status();
}

// Readers then never wait for a writer. Where the file system cannot (no shared memory), SQLite keeps its
// rollback journal, which is as safe and only slower. Against a write lock the change fails at once, whatever
// the busy timeout; another process that is about to migrate holds one.
Status use_write_ahead_log(SQLite::Database& db, const std::string& path) {
  const MonoTime give_up = mono_now() + kBusyTimeout;
  for (;;) {
    try {
      db.execAndGet("PRAGMA journal_mode = WAL");
      return ok_status();
    } catch (const SQLite::Exception& error) {
      if ((error.getErrorCode() & 0xff) != SQLITE_BUSY || mono_now() >= give_up)
        return to_status(error, path);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

Status to_status(const SQLite::Exception& error, std::string_view path) {
  StatusCode code = StatusCode::kInternal;
  std::string_view hint;
  switch (error.getErrorCode() & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      code = StatusCode::kUnavailable;
      hint = "; another process has held it for more than 10 s";
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      code = StatusCode::kDataLoss;
      hint = "; it was left as it is: move it away or choose another file with --store";
      break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      code = StatusCode::kPermissionDenied;
      break;
    case SQLITE_FULL:
      code = StatusCode::kResourceExhausted;
      break;
    default:
      break;
  }
  return make_error(code, "{}: {}{}", path, error.what(), hint);
}

StatusOr<std::unique_ptr<SQLite::Database>> connect_sqlite(const std::string& path,
                                                           std::span<const std::string_view> migrations) {
  if (const std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0) {
    FL_RETURN_IF_ERROR(make_dirs(path.substr(0, slash)));
  }
  return guarded(path, [&]() -> StatusOr<std::unique_ptr<SQLite::Database>> {
    auto db = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                                 static_cast<int>(kBusyTimeout.count()));
    // SQLite falls back to read-only by itself; better said now than after the run.
    if (sqlite3_db_readonly(db->getHandle(), "main") == 1) {
      return make_error(StatusCode::kPermissionDenied, "{}: is not writable", path);
    }
    db->exec("PRAGMA foreign_keys = ON");
    FL_RETURN_IF_ERROR(migrate(*db, path, migrations));
    FL_RETURN_IF_ERROR(use_write_ahead_log(*db, path));
    return db;
  });
}

}  // namespace faultline
