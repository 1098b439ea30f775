// Decides from the samples whether the platform has recovered: after the last removal every probe became
// healthy within Recovery::within and then stayed so for Recovery::stable, all at the same time. Pure: no
// clock, no I/O; copies what it needs of the experiment. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "controller/experiment/healthy_stretch.h"

namespace faultline {

class RecoveryWatch {
 public:
  // `removed_at`: when the last fault was removed, as an offset from the run's start.
  RecoveryWatch(const Experiment& experiment, Nanos removed_at);

  // In the order of arrival. Samples sent before the removal are ignored.
  void feed(const Sample& sample);

  // True from the moment when every probe was healthy and stable; later samples do not change that.
  bool recovered() const { return recovered_; }

  // The same for one probe; `probe` is its index.
  bool recovered(std::size_t probe) const { return recovered_ || in_time_and_stable(stretches_[probe]); }

  // From then on no sample can bring recovery: the last stretch that began in time has had the time to become
  // stable, and its last answer to arrive. A runner that waits need not wait longer.
  Nanos give_up_at() const { return give_up_at_; }

  // The last that could count as recovered in time was sent then.
  Nanos deadline() const { return removed_at_ + within_; }

  // A probe that has not recovered cannot have done so unseen: its time was over when the run ended at
  // `run_end`.
  bool too_late(std::size_t probe, Nanos run_end) const;

  // For people, empty when recovered: "gateway is degraded (200 in 812 ms)".
  std::string why_not() const;
  std::string why_not(std::size_t probe) const;

  // From the removal to the first sample of the stable healthy stretch, as [last bad sent, first good
  // answered]. No `latest`: the probe did not get stable. Unset: it gave no sample after the removal.
  std::optional<Interval> time_to_recover(std::size_t probe) const;

 private:
  bool in_time_and_stable(const HealthyStretch& stretch) const;

  Nanos removed_at_;
  Nanos within_;
  Nanos stable_;
  Nanos give_up_at_;
  std::vector<std::string> names_;
  std::vector<HealthyStretch> stretches_;
  bool recovered_ = false;
};

}  // namespace faultline
