// An experiment as data: what experiment files are parsed into and what the runner, the judge and the reports
// read. Plain values, no behaviour; safe to share between threads once built. docs/experiments.md describes
// the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/clock.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

// 1-based place in the experiment file; line 0 means "not from a file".
struct SourcePos {
  int line = 0;
  int column = 0;
};

enum class HealthState { kHealthy, kDegraded, kUnhealthy, kUnknown };

// The answer's JSON value at an RFC 6901 pointer decides: in `healthy` or in `degraded`; anything else is
// unhealthy; a missing value or a body that is not JSON is unknown.
struct JsonExpectation {
  std::string pointer;
  std::vector<std::string> healthy;  // compared with the value's text: ok, true, 3
  std::vector<std::string> degraded;
};

struct HttpCheck {
  std::string url;
  std::vector<int> status = {200};
  std::optional<JsonExpectation> json;
};

struct TcpCheck {
  std::string host;  // name or address, IPv6 without brackets
  std::uint16_t port = 0;
};

// Largest share of samples, 0..1, that may be so while faults are active. Unknown counts as unhealthy.
struct Tolerance {
  double degraded = 1.0;
  double unhealthy = 0.0;
};

struct Probe {
  std::string name;  // unique in the experiment
  std::variant<HttpCheck, TcpCheck> check;
  Nanos timeout = std::chrono::seconds(1);
  std::optional<Nanos> degraded_above;  // a healthy answer slower than this is degraded
  Tolerance tolerance;
  SourcePos pos;
};

struct SteadyState {
  Nanos every = std::chrono::milliseconds(250);  // sampling interval of every probe, in all phases
  Nanos baseline =
      std::chrono::seconds(3);  // how long every probe must be healthy before anything is touched
  std::vector<Probe> probes;    // at least one
};

struct FaultStep {
  std::string name;    // unique in the experiment; part of the fault id at the agent
  std::string target;  // cgroup:PATH, pid:N, container:ID, as the agent takes it
  std::string kind;    // name of the field set in spec's oneof
  v1::FaultSpec spec;
  Nanos duration{};      // > 0, at most kMaxFaultDuration
  SourcePos pos;         // of the fault
  SourcePos target_pos;  // of the target's value
};

struct WaitStep {
  Nanos duration{};
};

struct Step;
// Runs its children one after the other, or all at the same time; ends when the last has ended.
struct Block {
  bool parallel = false;
  std::vector<Step> steps;
  bool together = false;  // parallel, and its own faults are armed first and then start at one moment
};

// A fault step injects, holds for its duration, removes, and only then ends.
struct Step {
  std::variant<FaultStep, WaitStep, Block> what;
};

struct Recovery {
  Nanos within = std::chrono::seconds(30);  // after the last removal, every probe healthy again in this time
  Nanos stable = std::chrono::seconds(1);   // and staying so for this long
};

// Ends the run early, faults reverted, when a probe has been in this state (or worse) for so long.
struct StopCondition {
  std::string probe;
  HealthState state = HealthState::kUnhealthy;
  Nanos lasting{};
  SourcePos pos;
};

struct Experiment {
  std::string name;
  std::string description;
  SteadyState steady_state;
  Block method;  // serial; holds at least one fault
  Recovery recovery;
  std::vector<StopCondition> stop_conditions;
  std::string file;    // where it was read from, for messages
  std::string source;  // the file's text, word for word
};

inline constexpr Nanos kMaxFaultDuration = std::chrono::hours(1);

// Every fault step of the method in file order.
std::vector<const FaultStep*> fault_steps(const Block& method);

// Those of them that are armed first: the ones directly in a together block.
std::vector<const FaultStep*> together_steps(const Block& method);

}  // namespace faultline
