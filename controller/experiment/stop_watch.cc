#include "controller/experiment/stop_watch.h"

#include <algorithm>

#include "controller/experiment/units.h"

namespace faultline {
namespace {

bool as_bad_as(HealthState state, HealthState limit) {
  if (state == HealthState::kUnknown) state = HealthState::kUnhealthy;
  return static_cast<int>(state) >= static_cast<int>(limit);
}

}  // namespace

StopWatch::StopWatch(const Experiment& experiment) {
  const std::vector<Probe>& probes = experiment.steady_state.probes;
  for (const StopCondition& rule : experiment.stop_conditions) {
    const auto probe =
        std::find_if(probes.begin(), probes.end(), [&](const Probe& p) { return p.name == rule.probe; });
    conditions_.push_back(
        {rule, static_cast<std::size_t>(probe - probes.begin()), std::nullopt, std::nullopt});
  }
}

std::optional<std::string> StopWatch::feed(const Sample& sample) {
  if (sample.phase == Phase::kBaseline || sample.phase == Phase::kRecover) return std::nullopt;
  std::optional<std::string> reason;
  for (Condition& condition : conditions_) {
    if (condition.probe != sample.probe || condition.fired) continue;
    if (!as_bad_as(sample.state, condition.rule.state)) {
      condition.since.reset();
      continue;
    }
    if (!condition.since) condition.since = sample.sent_at;
    if (sample.sent_at + sample.latency - *condition.since < condition.rule.lasting) continue;
    condition.fired =
        fmt::format("probe {} was {}{} for {}", condition.rule.probe, to_string(condition.rule.state),
                    condition.rule.state == HealthState::kDegraded ? " or worse" : "",
                    format_duration(condition.rule.lasting));
    if (!sample.detail.empty()) *condition.fired += fmt::format(" (last answer: {})", sample.detail);
    if (!reason) reason = condition.fired;
  }
  return reason;
}

}  // namespace faultline
