#include "controller/store/sqlite_schema.h"

namespace faultline {
namespace {

// Times: *_ns are nanoseconds; started_ns since 1970, every other *_at_ns since the run's start. The journal
// has a table of its own so that listing runs never reads it.
constexpr std::string_view kFirstLayout = R"sql(
CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  experiment TEXT NOT NULL,
  agent TEXT NOT NULL,
  agent_version TEXT NOT NULL,
  kernel_release TEXT NOT NULL,
  started_ns INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('RUNNING', 'FINISHED')),
  owner_pid INTEGER NOT NULL,
  owner_start_ticks INTEGER NOT NULL,
  owner_boot_id TEXT NOT NULL,
  owner_pid_namespace TEXT NOT NULL,
  duration_ns INTEGER,
  outcome TEXT,
  exit_code INTEGER,
  reason TEXT,
  samples_missed INTEGER,
  CHECK (state = 'RUNNING' OR (duration_ns IS NOT NULL AND outcome IS NOT NULL AND exit_code IS NOT NULL))
) STRICT;
CREATE INDEX runs_by_start ON runs (started_ns);
CREATE INDEX runs_by_experiment ON runs (experiment, started_ns);

CREATE TABLE journals (
  run_id TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  json TEXT NOT NULL
) STRICT;

CREATE TABLE findings (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  check_name TEXT NOT NULL,
  result TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE faults (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  agent_fault_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  target TEXT NOT NULL,
  resolved_target TEXT NOT NULL,
  mechanism TEXT NOT NULL,
  effective_at_ns INTEGER,
  removed_at_ns INTEGER,
  evaluated INTEGER NOT NULL,
  matched INTEGER NOT NULL,
  injected INTEGER NOT NULL,
  residue_checked INTEGER NOT NULL,
  residue TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE fault_achieved (
  run_id TEXT NOT NULL,
  fault_position INTEGER NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  unit TEXT NOT NULL,
  requested REAL,
  median REAL,
  p05 REAL,
  p95 REAL,
  samples INTEGER NOT NULL,
  PRIMARY KEY (run_id, fault_position, position),
  FOREIGN KEY (run_id, fault_position) REFERENCES faults (run_id, position) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE probe_summaries (
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  probe TEXT NOT NULL,
  samples INTEGER NOT NULL,
  degraded_share REAL,
  unhealthy_share REAL,
  detect_earliest_ns INTEGER,
  detect_latest_ns INTEGER,
  recover_earliest_ns INTEGER,
  recover_latest_ns INTEGER,
  PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;
)sql";

// NULL: the value was not judged.
constexpr std::string_view kTolerances = R"sql(
ALTER TABLE fault_achieved ADD COLUMN tolerated_low REAL;
ALTER TABLE fault_achieved ADD COLUMN tolerated_high REAL;
)sql";

constexpr std::string_view kMigrations[] = {kFirstLayout, kTolerances};

}  // namespace

std::span<const std::string_view> sqlite_migrations() {
  return kMigrations;
}

}  // namespace faultline
