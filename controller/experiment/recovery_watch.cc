#include "controller/experiment/recovery_watch.h"

#include <algorithm>

#include "controller/experiment/describe.h"
#include "controller/experiment/units.h"

namespace faultline {

RecoveryWatch::RecoveryWatch(const Experiment& experiment, Nanos removed_at)
    : removed_at_(removed_at),
      within_(experiment.recovery.within),
      stable_(experiment.recovery.stable),
      stretches_(experiment.steady_state.probes.size()) {
  Nanos slowest{};
  for (const Probe& probe : experiment.steady_state.probes) {
    names_.push_back(probe.name);
    slowest = std::max(slowest, probe.timeout);
  }
  // Two timeouts and two intervals: one of each before the sample that completes the stretch is sent (the
  // slot may have been missed), one of each until its answer is there.
  give_up_at_ = removed_at + within_ + stable_ + 2 * (experiment.steady_state.every + slowest);
}

void RecoveryWatch::feed(const Sample& sample) {
  if (sample.sent_at < removed_at_ || sample.probe >= stretches_.size() || recovered_) return;
  stretches_[sample.probe].feed(sample);
  recovered_ = std::all_of(stretches_.begin(), stretches_.end(),
                           [&](const HealthyStretch& stretch) { return in_time_and_stable(stretch); });
}

bool RecoveryWatch::in_time_and_stable(const HealthyStretch& stretch) const {
  return stretch.lasts(stable_) && stretch.first()->sent_at <= deadline();
}

bool RecoveryWatch::too_late(std::size_t probe, Nanos run_end) const {
  const HealthyStretch& stretch = stretches_[probe];
  if (recovered(probe) || !stretch.fed()) return false;
  // Healthy in time, but not yet for long enough: that takes until the very end.
  const bool on_its_way = stretch.first() && stretch.first()->sent_at <= deadline();
  return run_end >= (on_its_way ? give_up_at_ : deadline());
}

std::string RecoveryWatch::why_not(std::size_t probe) const {
  if (recovered(probe)) return "";
  const HealthyStretch& stretch = stretches_[probe];
  if (!stretch.fed()) return fmt::format("{} gave no sample after the removal", names_[probe]);
  if (!stretch.first()) return fmt::format("{} is {}", names_[probe], describe(*stretch.last_bad()));
  const Nanos after = stretch.first()->sent_at - removed_at_;
  if (after > within_) {
    return fmt::format("{} was healthy again only {} after the removal", names_[probe], rounded(after));
  }
  return fmt::format("{} was healthy for {} of {} only", names_[probe], rounded(stretch.length()),
                     format_duration(stable_));
}

std::string RecoveryWatch::why_not() const {
  std::string text;
  for (std::size_t probe = 0; probe < stretches_.size(); ++probe) {
    const std::string why = why_not(probe);
    if (!why.empty()) text += (text.empty() ? "" : "; ") + why;
  }
  return text;
}

std::optional<Interval> RecoveryWatch::time_to_recover(std::size_t probe) const {
  const HealthyStretch& stretch = stretches_[probe];
  if (!stretch.fed()) return std::nullopt;
  Interval interval;
  if (stretch.last_bad()) interval.earliest = stretch.last_bad()->sent_at - removed_at_;
  if (stretch.lasts(stable_)) {
    interval.latest = stretch.first()->sent_at + stretch.first()->latency - removed_at_;
  }
  return interval;
}

}  // namespace faultline
