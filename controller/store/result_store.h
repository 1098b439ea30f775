// The Test Results Database as the rest of the controller sees it: one row a run, with its findings, faults,
// probe summaries and complete journal. No database type shows here, because there is more than one back end.
//
// A run is written twice: begin_run() before anything is touched, finish_run() in one transaction at the end.
// A run whose process died in between is shown as LOST, so that a killed controller leaves a trace and not a
// gap.
//
// Threads: one store object is for one thread at a time. Any number of stores, in any number of processes of
// one machine, may be open on the same database; writers wait for each other for up to 10 s (then
// UNAVAILABLE). Errors of every call: UNAVAILABLE (locked for too long), DATA_LOSS (the database is damaged;
// it is left as it is), PERMISSION_DENIED, RESOURCE_EXHAUSTED (disk full), INTERNAL. A failed call has
// changed nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "controller/experiment/record.h"
#include "faultline/v1/agent.pb.h"

namespace faultline {

enum class StoredState {
  kRunning,  // begun, and its process still lives
  kFinished,
  kLost,  // begun and never finished, and its process is gone
};

// "RUNNING", "FINISHED", "LOST"
const char* to_string(StoredState state);

struct RunSummary {
  std::string id;
  std::string experiment;
  StoredState state = StoredState::kRunning;
  WallTime started{};
  Nanos duration{};              // zero unless finished
  std::string outcome;           // to_string(Outcome); empty unless finished
  std::optional<int> exit_code;  // set when finished
  std::string reason;            // empty unless finished
};

struct StoredFault {
  std::string name;
  std::string id;  // at the agent
  std::string kind;
  std::string target;           // as asked
  std::string resolved_target;  // as the agent found it
  std::string mechanism;
  std::optional<Nanos> effective_at;  // offsets from the run's start
  std::optional<Nanos> removed_at;
  v1::Counters counters;
  std::vector<v1::Achieved> achieved;
  bool residue_checked = false;
  std::vector<std::string> residue;
  std::string error;
};

struct StoredRun {
  RunSummary summary;
  std::vector<Finding> findings;
  std::vector<StoredFault> faults;
  std::vector<ProbeSummary> probes;
  std::string journal_json;  // as given to finish_run(); empty unless finished
};

class ResultStore {
 public:
  ResultStore() = default;
  ResultStore(const ResultStore&) = delete;
  ResultStore& operator=(const ResultStore&) = delete;
  virtual ~ResultStore() = default;

  // Reads id, experiment, agent, agent_version, kernel_release and started; notes the calling process as the
  // run's owner. ALREADY_EXISTS: the id is taken.
  virtual Status begin_run(const RunRecord& run) = 0;

  // All of it or nothing, also when the process is killed inside. NOT_FOUND: never begun.
  // FAILED_PRECONDITION: already finished (a result is never overwritten).
  virtual Status finish_run(const RunRecord& run, std::string_view journal_json) = 0;

  // Newest first, at most `limit`.
  virtual StatusOr<std::vector<RunSummary>> list_runs(std::size_t limit) = 0;

  // By id, or by a prefix that only one run has. NOT_FOUND; INVALID_ARGUMENT: empty, or several runs begin
  // so.
  virtual StatusOr<StoredRun> get_run(std::string_view id_or_prefix) = 0;
};

// Opens the database at `path`; creates it, and the folders above it, where missing, and brings an older one
// up to date. FAILED_PRECONDITION: it was written by a newer version, or it is the database of another
// program. DATA_LOSS: not a database, or damaged. In all these cases the file is left untouched.
StatusOr<std::unique_ptr<ResultStore>> open_sqlite_store(const std::string& path);

// results.db in state_dir().
StatusOr<std::string> default_store_path();

}  // namespace faultline
