// Decides from the samples whether the steady state holds: every probe healthy for the whole baseline
// stretch. Pure: no clock, no I/O; copies what it needs of the experiment. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "controller/experiment/healthy_stretch.h"

namespace faultline {

class BaselineWatch {
 public:
  explicit BaselineWatch(const Experiment& experiment);

  // In the order of arrival. Samples of other phases than the baseline are ignored.
  void feed(const Sample& sample);

  // True from the moment when every probe had been healthy for the baseline's length; later samples do not
  // change that.
  bool steady() const { return steady_; }

  // The same for one probe; `probe` is its index.
  bool steady(std::size_t probe) const { return steady_ || stretches_[probe].lasts(baseline_); }

  // What probes that answer at all may take beyond the baseline until all of them can have been seen healthy
  // for it, however long they pause between two samples. A runner must not give up earlier.
  Nanos slack() const { return slack_; }

  // For people, empty when steady: "gateway is unhealthy (connection refused); database did not answer yet".
  std::string why_not() const;
  std::string why_not(std::size_t probe) const;

 private:
  Nanos baseline_;
  Nanos slack_;
  std::vector<std::string> names_;
  std::vector<HealthyStretch> stretches_;
  bool steady_ = false;
};

}  // namespace faultline
