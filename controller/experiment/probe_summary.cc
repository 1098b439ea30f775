#include "controller/experiment/probe_summary.h"

#include <algorithm>

namespace faultline {
namespace {

std::optional<Nanos> first_effective(const RunRecord& record) {
  std::optional<Nanos> first;
  for (const FaultOutcome& fault : record.faults) {
    if (fault.effective_at && !never_started(fault) && (!first || *fault.effective_at < *first))
      first = fault.effective_at;
  }
  return first;
}

// [last healthy sent, first bad answered], from `effective` on. A sample on its way when the fault took
// effect counts: it may have met it.
std::optional<Interval> time_to_detect(const RunRecord& record, std::size_t probe, Nanos effective) {
  std::optional<Interval> interval;
  for (const Sample& sample : record.samples) {
    if (sample.probe != probe || !while_active(sample) || sample.sent_at + sample.latency < effective)
      continue;
    if (!interval) interval = Interval{};
    if (sample.state != HealthState::kHealthy) {
      interval->latest = sample.sent_at + sample.latency - effective;
      return interval;
    }
    interval->earliest = std::max(Nanos::zero(), sample.sent_at - effective);
  }
  return interval;
}

}  // namespace

bool while_active(const Sample& sample) {
  return sample.phase == Phase::kInject || sample.phase == Phase::kObserve || sample.phase == Phase::kRemove;
}

ProbeSummary summarize_probe(const Experiment& experiment, const RunRecord& record, std::size_t probe,
                             const RecoveryWatch* recovery) {
  ProbeSummary summary;
  summary.probe = experiment.steady_state.probes[probe].name;
  std::size_t degraded = 0;
  std::size_t unhealthy = 0;
  for (const Sample& sample : record.samples) {
    if (sample.probe != probe || !while_active(sample)) continue;
    ++summary.samples;
    if (sample.state == HealthState::kDegraded) ++degraded;
    if (sample.state == HealthState::kUnhealthy || sample.state == HealthState::kUnknown) ++unhealthy;
  }
  if (summary.samples > 0) {
    summary.degraded_share = static_cast<double>(degraded) / static_cast<double>(summary.samples);
    summary.unhealthy_share = static_cast<double>(unhealthy) / static_cast<double>(summary.samples);
  }
  if (const std::optional<Nanos> effective = first_effective(record)) {
    summary.time_to_detect = time_to_detect(record, probe, *effective);
  }
  if (recovery != nullptr) summary.time_to_recover = recovery->time_to_recover(probe);
  return summary;
}

}  // namespace faultline
