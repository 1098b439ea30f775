#include "controller/cli/live_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "controller/cli/achieved_text.h"
#include "controller/cli/text.h"
#include "controller/report/format.h"

namespace faultline {
namespace {

const char* color_of(HealthState state) {
  switch (state) {
    case HealthState::kHealthy:
      return "\x1b[32m";
    case HealthState::kDegraded:
      return "\x1b[33m";
    case HealthState::kUnhealthy:
      return "\x1b[31m";
    case HealthState::kUnknown:
      return "\x1b[35m";
  }
  return "";
}

constexpr char kPlain[] = "\x1b[0m";

}  // namespace

LiveView::LiveView(const Experiment& experiment) {
  for (const faultline::Probe& probe : experiment.steady_state.probes)
    probes.push_back({probe.name, std::nullopt});
}

void LiveView::put(const FaultOutcome& fault) {
  const auto known = std::find_if(faults.begin(), faults.end(),
                                  [&fault](const FaultOutcome& other) { return other.name == fault.name; });
  if (known == faults.end()) {
    faults.push_back(fault);
  } else {
    *known = fault;
  }
}

bool is_active(const FaultOutcome& fault) {
  return fault.status.state() == v1::FAULT_STATE_ACTIVE;
}

bool is_armed(const FaultOutcome& fault) {
  return fault.status.state() == v1::FAULT_STATE_ARMED;
}

std::string armed_line(const FaultOutcome& fault, Nanos elapsed) {
  const Nanos left = std::max(Nanos::zero(), fault.planned_start.value_or(elapsed) - elapsed);
  return fmt::format("{}: armed, starts in {:.1f} s", fault.name,
                     std::chrono::duration<double>(left).count());
}

std::string stamped(Nanos at, const std::string& text) {
  return fmt::format("[{:6.1f} s] {}", std::chrono::duration<double>(at).count(), text);
}

std::string fault_line(const FaultOutcome& fault) {
  std::string text = fmt::format("{}: {}", fault.name, counters_text(fault.status.counters()));
  for (const v1::Achieved& achieved : fault.status.achieved()) {
    if (achieved.samples() > 0) text += "; " + achieved_text(achieved);
  }
  return text;
}

std::vector<std::string> live_lines(const LiveView& view, Nanos elapsed, std::size_t columns, bool color) {
  std::vector<std::string> lines = {fit(stamped(elapsed, to_string(view.phase)), columns)};
  std::size_t widest = 0;
  for (const LiveView::Probe& probe : view.probes) widest = std::max(widest, probe.name.size());
  for (const LiveView::Probe& probe : view.probes) {
    std::string line = fmt::format("  {:<{}}  ", probe.name, widest);
    if (!probe.last) {
      lines.push_back(fit(line + "no answer yet", columns));
      continue;
    }
    line += fmt::format("{:<9}  {:>8}  {}", to_string(probe.last->state), duration_text(probe.last->latency),
                        probe.last->detail);
    line = fit(line, columns);
    lines.push_back(color ? color_of(probe.last->state) + line + kPlain : line);
  }
  for (const FaultOutcome& fault : view.faults) {
    if (is_armed(fault)) lines.push_back(fit("  " + armed_line(fault, elapsed), columns));
    if (is_active(fault)) lines.push_back(fit("  " + fault_line(fault), columns));
  }
  return lines;
}

}  // namespace faultline
