#include "controller/experiment/baseline_watch.h"

#include <algorithm>

#include "controller/experiment/describe.h"
#include "controller/experiment/units.h"

namespace faultline {

BaselineWatch::BaselineWatch(const Experiment& experiment)
    : baseline_(experiment.steady_state.baseline), stretches_(experiment.steady_state.probes.size()) {
  Nanos slowest{};
  for (const Probe& probe : experiment.steady_state.probes) {
    names_.push_back(probe.name);
    slowest = std::max(slowest, probe.timeout);
  }
  // As after a removal: one of each before the sample that completes the stretch is sent (the slot may have
  // been missed), one of each until its answer is there.
  slack_ = 2 * (experiment.steady_state.every + slowest);
}

void BaselineWatch::feed(const Sample& sample) {
  if (sample.phase != Phase::kBaseline || sample.probe >= stretches_.size() || steady_) return;
  stretches_[sample.probe].feed(sample);
  steady_ = std::all_of(stretches_.begin(), stretches_.end(),
                        [&](const HealthyStretch& stretch) { return stretch.lasts(baseline_); });
}

std::string BaselineWatch::why_not(std::size_t probe) const {
  if (steady(probe)) return "";
  const HealthyStretch& stretch = stretches_[probe];
  if (!stretch.fed()) return fmt::format("{} has not answered yet", names_[probe]);
  if (!stretch.first()) return fmt::format("{} is {}", names_[probe], describe(*stretch.last_bad()));
  return fmt::format("{} was healthy for {} of {} only", names_[probe], rounded(stretch.length()),
                     format_duration(baseline_));
}

std::string BaselineWatch::why_not() const {
  std::string text;
  for (std::size_t probe = 0; probe < stretches_.size(); ++probe) {
    const std::string why = why_not(probe);
    if (!why.empty()) text += (text.empty() ? "" : "; ") + why;
  }
  return text;
}

}  // namespace faultline
