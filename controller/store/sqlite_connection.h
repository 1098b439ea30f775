// The edge to SQLiteCpp, whose errors are exceptions: a connection that is checked and up to date, and the
// one place where its exceptions become a Status. Included by the SQLite back end alone.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/status.h"

namespace faultline {

Status to_status(const SQLite::Exception& error, std::string_view path);

// Runs `body`, which answers with a Status or StatusOr and may throw SQLite::Exception.
template <typename Body>
auto guarded(const std::string& path, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& error) {
    return to_status(error, path);
  }
}

// Opens or creates the database at `path` and runs the steps that it lacks, all in one transaction. Contract
// and errors: open_sqlite_store().
StatusOr<std::unique_ptr<SQLite::Database>> connect_sqlite(const std::string& path,
                                                           std::span<const std::string_view> migrations);

}  // namespace faultline
