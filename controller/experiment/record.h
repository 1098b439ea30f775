// What happened in one run, as data: filled by the runner, read by the judge, the reports and the store.
// Times named *_at are offsets from the run's start on the monotonic clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "controller/clients/node_clock.h"
#include "controller/experiment/model.h"
#include "faultline/v1/agent.pb.h"

namespace faultline {

// kInject and kRemove last while any apply or revert call is under way; kObserve while a fault is active or
// the method waits between faults. A sample belongs to the phase in which its probe was sent.
enum class Phase { kBaseline, kInject, kObserve, kRemove, kRecover };

struct Sample {
  std::size_t probe = 0;  // index into SteadyState::probes
  Nanos sent_at{};
  Nanos latency{};
  Phase phase = Phase::kBaseline;
  HealthState state = HealthState::kUnknown;
  std::string detail;  // "200", "connection refused"; short, for people
};

struct PhaseSpan {
  Phase phase = Phase::kBaseline;
  Nanos start_at{};
  Nanos end_at{};
};

// [first, second]: the event lies between these two instants of the run. No second: it was never seen.
struct Interval {
  Nanos earliest{};
  std::optional<Nanos> latest;
};

struct FaultOutcome {
  std::string name;  // of the step
  std::string id;    // at the agent
  v1::Plan plan;
  v1::FaultStatus status;              // the last one that the agent told
  std::optional<Nanos> planned_start;  // it was armed, to start then; unset: to start at once
  Interval applied;                    // where it was, armed or at once: from the call to its answer
  std::optional<Nanos> effective_at;   // kernel-confirmed; unset: never applied
  std::optional<Nanos> removed_at;     // kernel-confirmed; unset: removal was not confirmed
  std::string error;                   // why it could not be applied, or why its removal is not confirmed
};

// Armed, and gone before its start: it did nothing. Its effective_at and removed_at are the moment of its
// end.
bool never_started(const FaultOutcome& fault);

// In the kernel: in force, or armed.
bool in_place(const FaultOutcome& fault);

// Why the run ended before its method was through; the first cause wins.
enum class Interruption { kNone, kPrecondition, kStopCondition, kHalt, kSignal, kInfrastructure };

// kRefused: what was asked for is wrong, and nothing was touched; never a judge's.
enum class Outcome {
  kPassed,
  kFailed,
  kPrecondition,
  kInconclusive,
  kStopped,
  kResidue,
  kInfrastructure,
  kRefused
};

enum class FindingResult { kHeld, kViolated, kUnknown };

// One checked statement: "gateway stays within its tolerance", "residue: none".
struct Finding {
  std::string check;  // stable and unique in the run: "tolerance/gateway", "recovery/gateway",
                      // "effect/slow-metrics", "residue/slow-metrics"
  FindingResult result = FindingResult::kUnknown;
  std::string message;
};

struct ProbeSummary {
  std::string probe;
  std::size_t samples = 0;  // while faults were active (inject, observe, remove)
  double degraded_share = 0;
  double unhealthy_share = 0;  // unhealthy or unknown
  std::optional<Interval>
      time_to_detect;  // from the first effective fault to the first sample that is not healthy
  std::optional<Interval>
      time_to_recover;  // from the last removal to the first sample of the stable healthy stretch
};

struct Judgement {
  Outcome outcome = Outcome::kInfrastructure;
  int exit_code = 7;   // design's table; 130 on a signal after proved cleanup
  std::string reason;  // one sentence
  std::vector<Finding> findings;
  std::vector<ProbeSummary> probes;
};

struct RunRecord {
  std::string id;  // sortable: 20260131T101502Z-3f9a
  std::string experiment;
  std::string agent;  // address
  std::string agent_version;
  std::string kernel_release;  // of the node
  std::optional<NodeClock>
      node_clock;  // against ours, measured before the start; unset: the agent cannot tell
  WallTime started{};
  Nanos duration{};
  std::vector<PhaseSpan> phases;
  std::vector<Sample> samples;
  std::size_t samples_missed = 0;    // slots in which a probe was still waiting for its last answer
  std::vector<FaultOutcome> faults;  // that were tried, in the file's order
  Interruption interruption = Interruption::kNone;
  std::string interruption_detail;
  Judgement judgement;
};

// "PASSED", "FAILED", ...; the one spelling used in every output.
const char* to_string(Outcome outcome);
const char* to_string(HealthState state);
const char* to_string(Phase phase);
const char* to_string(FindingResult result);

}  // namespace faultline
