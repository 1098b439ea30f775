// What is to be seen of a run at this moment, and how it is drawn. Plain values and pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "controller/experiment/model.h"
#include "controller/experiment/record.h"

namespace faultline {

struct LiveView {
  struct Probe {
    std::string name;
    std::optional<Sample> last;
  };

  explicit LiveView(const Experiment& experiment);

  Phase phase = Phase::kBaseline;
  std::vector<Probe> probes;
  std::vector<FaultOutcome> faults;  // in the order of their first news

  void put(const FaultOutcome& fault);
};

// The block that is redrawn in place: the phase, a line per probe, one per fault that is armed or in force.
// Each line fits into `columns`; escape sequences for colour come only with `color`.
std::vector<std::string> live_lines(const LiveView& view, Nanos elapsed, std::size_t columns, bool color);

// "[  3.2 s] text"
std::string stamped(Nanos at, const std::string& text);

// "slow-metrics: evaluated 3, matched 2, injected 2; latency requested ..."; one fault.
std::string fault_line(const FaultOutcome& fault);

// "slow-metrics: armed, starts in 1.2 s"
std::string armed_line(const FaultOutcome& fault, Nanos elapsed);

bool is_active(const FaultOutcome& fault);
bool is_armed(const FaultOutcome& fault);

}  // namespace faultline
