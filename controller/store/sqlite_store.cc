#include "controller/store/run_owner.h"
#include "controller/store/sqlite_connection.h"
#include "controller/store/sqlite_rows.h"
#include "controller/store/sqlite_schema.h"
#include "controller/store/state_dir.h"

namespace faultline {
namespace {

using SQLite::Statement;

constexpr const char* kSummaryColumns =
    "id, experiment, state, started_ns, duration_ns, outcome, exit_code, reason, "
    "owner_pid, owner_start_ticks, owner_boot_id, owner_pid_namespace";

class SqliteStore final : public ResultStore {
 public:
  SqliteStore(std::string path, std::unique_ptr<SQLite::Database> db)
      : path_(std::move(path)), db_(std::move(db)) {}

  Status begin_run(const RunRecord& run) override;
  Status finish_run(const RunRecord& run, std::string_view journal_json) override;
  StatusOr<std::vector<RunSummary>> list_runs(std::size_t limit) override;
  StatusOr<StoredRun> get_run(std::string_view id_or_prefix) override;

 private:
  StatusOr<std::string> full_id(std::string_view id_or_prefix);

  const std::string path_;
  const std::unique_ptr<SQLite::Database> db_;
};

Status SqliteStore::begin_run(const RunRecord& run) {
  FL_ASSIGN_OR_RETURN(const RunOwner owner, this_process());
  return guarded(path_, [&]() -> Status {
    Statement insert(
        *db_,
        "INSERT INTO runs (id, experiment, agent, agent_version, kernel_release, started_ns, state, "
        "owner_pid, owner_start_ticks, owner_boot_id, owner_pid_namespace) "
        "VALUES (?, ?, ?, ?, ?, ?, 'RUNNING', ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING");
    bind_all(insert, run.id, run.experiment, run.agent, run.agent_version, run.kernel_release, run.started,
             owner.pid, owner.start_ticks, owner.boot_id, owner.pid_namespace);
    if (insert.exec() == 0)
      return make_error(StatusCode::kAlreadyExists, "{}: has a run {} already", path_, run.id);
    return ok_status();
  });
}

Status SqliteStore::finish_run(const RunRecord& run, std::string_view journal_json) {
  return guarded(path_, [&]() -> Status {
    SQLite::Transaction transaction(*db_, SQLite::TransactionBehavior::IMMEDIATE);
    Statement state(*db_, "SELECT state FROM runs WHERE id = ?");
    bind_all(state, run.id);
    if (!state.executeStep())
      return make_error(StatusCode::kNotFound, "{}: no run {} was begun", path_, run.id);
    if (state.getColumn(0).getString() != "RUNNING") {
      return make_error(StatusCode::kFailedPrecondition, "{}: run {} is finished already", path_, run.id);
    }
    Statement update(
        *db_,
        "UPDATE runs SET state = 'FINISHED', agent_version = ?, kernel_release = ?, duration_ns = ?, "
        "outcome = ?, exit_code = ?, reason = ?, samples_missed = ? WHERE id = ?");
    bind_all(update, run.agent_version, run.kernel_release, run.duration, to_string(run.judgement.outcome),
             run.judgement.exit_code, run.judgement.reason, run.samples_missed, run.id);
    update.exec();
    Statement journal(*db_, "INSERT INTO journals (run_id, json) VALUES (?, ?)");
    bind_all(journal, run.id, journal_json);
    journal.exec();
    insert_findings(*db_, run);
    insert_faults(*db_, run);
    insert_probe_summaries(*db_, run);
    transaction.commit();
    return ok_status();
  });
}

// Columns as in kSummaryColumns.
RunSummary summary_of(const Statement& row) {
  RunSummary summary;
  summary.id = row.getColumn(0).getString();
  summary.experiment = row.getColumn(1).getString();
  summary.started = WallTime(Nanos(row.getColumn(3).getInt64()));
  if (row.getColumn(2).getString() == "FINISHED") {
    summary.state = StoredState::kFinished;
    summary.duration = Nanos(row.getColumn(4).getInt64());
    summary.outcome = row.getColumn(5).getString();
    summary.exit_code = row.getColumn(6).getInt();
    summary.reason = row.getColumn(7).getString();
    return summary;
  }
  const RunOwner owner{row.getColumn(8).getInt64(), row.getColumn(9).getInt64(),
                       row.getColumn(10).getString(), row.getColumn(11).getString()};
  summary.state = has_ended(owner) ? StoredState::kLost : StoredState::kRunning;
  return summary;
}

StatusOr<std::vector<RunSummary>> SqliteStore::list_runs(std::size_t limit) {
  return guarded(path_, [&]() -> StatusOr<std::vector<RunSummary>> {
    Statement select(
        *db_, fmt::format("SELECT {} FROM runs ORDER BY started_ns DESC, id DESC LIMIT ?", kSummaryColumns));
    bind_all(select, limit);
    std::vector<RunSummary> runs;
    while (select.executeStep()) runs.push_back(summary_of(select));
    return runs;
  });
}

StatusOr<std::string> SqliteStore::full_id(std::string_view id_or_prefix) {
  if (id_or_prefix.empty()) return invalid_argument("empty run id");
  Statement exact(*db_, "SELECT id FROM runs WHERE id = ?");
  bind_all(exact, id_or_prefix);
  if (exact.executeStep()) return exact.getColumn(0).getString();

  Statement starting(*db_, "SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT 4");
  bind_all(starting, id_or_prefix);
  std::vector<std::string> ids;
  while (starting.executeStep()) ids.push_back(starting.getColumn(0).getString());
  if (ids.empty()) return make_error(StatusCode::kNotFound, "{}: no run {}", path_, id_or_prefix);
  if (ids.size() == 1) return ids[0];
  return invalid_argument("{}: several runs begin with {}: {}, {}{}", path_, id_or_prefix, ids[0], ids[1],
                          ids.size() > 2 ? ", ..." : "");
}

StatusOr<StoredRun> SqliteStore::get_run(std::string_view id_or_prefix) {
  return guarded(path_, [&]() -> StatusOr<StoredRun> {
    SQLite::Transaction one_snapshot(*db_);
    FL_ASSIGN_OR_RETURN(const std::string id, full_id(id_or_prefix));
    Statement select(*db_, fmt::format("SELECT {} FROM runs WHERE id = ?", kSummaryColumns));
    bind_all(select, id);
    select.executeStep();
    StoredRun run;
    run.summary = summary_of(select);
    run.findings = select_findings(*db_, id);
    run.faults = select_faults(*db_, id);
    run.probes = select_probe_summaries(*db_, id);
    Statement journal(*db_, "SELECT json FROM journals WHERE run_id = ?");
    bind_all(journal, id);
    if (journal.executeStep()) run.journal_json = journal.getColumn(0).getString();
    return run;
  });
}

}  // namespace

const char* to_string(StoredState state) {
  switch (state) {
    case StoredState::kRunning:
      return "RUNNING";
    case StoredState::kFinished:
      return "FINISHED";
    case StoredState::kLost:
      return "LOST";
  }
  return "?";
}

StatusOr<std::unique_ptr<ResultStore>> open_sqlite_store_at(const std::string& path,
                                                            std::span<const std::string_view> migrations) {
  auto db = connect_sqlite(path, migrations);
  if (!db.ok()) return annotate(db.status(), "results database");
  return std::make_unique<SqliteStore>(path, *std::move(db));
}

StatusOr<std::unique_ptr<ResultStore>> open_sqlite_store(const std::string& path) {
  return open_sqlite_store_at(path, sqlite_migrations());
}

StatusOr<std::string> default_store_path() {
  FL_ASSIGN_OR_RETURN(const std::string dir, state_dir());
  return dir + "/results.db";
}

}  // namespace faultline
