// The parts of a run as rows of the SQLite tables. Every function may throw SQLite::Exception and is called
// inside guarded(); the inserts also inside a transaction.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "controller/store/result_store.h"

namespace faultline {

inline void bind_one(SQLite::Statement& statement, int at, std::string_view text) {
  statement.bind(at, std::string(text));
}
inline void bind_one(SQLite::Statement& statement, int at, double number) {
  statement.bind(at, number);
}
// Counters above 2^63 do not happen; the cast keeps their bits.
template <typename Integer>
requires std::is_integral_v<Integer>
void bind_one(SQLite::Statement& statement, int at, Integer number) {
  statement.bind(at, static_cast<std::int64_t>(number));
}
inline void bind_one(SQLite::Statement& statement, int at, Nanos time) {
  bind_one(statement, at, time.count());
}
inline void bind_one(SQLite::Statement& statement, int at, WallTime time) {
  bind_one(statement, at, std::chrono::duration_cast<Nanos>(time.time_since_epoch()));
}
template <typename Value>
void bind_one(SQLite::Statement& statement, int at, const std::optional<Value>& value) {
  if (value) bind_one(statement, at, *value);
}

// Binds the values to parameters 1, 2, ...; an unset optional is NULL.
template <typename... Values>
void bind_all(SQLite::Statement& statement, const Values&... values) {
  int at = 0;
  (bind_one(statement, ++at, values), ...);
}

void insert_findings(SQLite::Database& db, const RunRecord& run);
void insert_faults(SQLite::Database& db, const RunRecord& run);
void insert_probe_summaries(SQLite::Database& db, const RunRecord& run);

std::vector<Finding> select_findings(SQLite::Database& db, const std::string& run_id);
std::vector<StoredFault> select_faults(SQLite::Database& db, const std::string& run_id);
std::vector<ProbeSummary> select_probe_summaries(SQLite::Database& db, const std::string& run_id);

}  // namespace faultline
