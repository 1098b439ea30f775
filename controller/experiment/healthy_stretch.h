// The present unbroken run of healthy samples of one probe. Degraded, unhealthy and unknown end it.
#pragma once

#include <optional>

#include "controller/experiment/record.h"

namespace faultline {

class HealthyStretch {
 public:
  // Samples of one probe, in the order of sending.
  void feed(const Sample& sample);

  // Healthy now, and the first and last sample of the stretch were sent at least `length` apart.
  bool lasts(Nanos length) const { return first_ && last_sent_at_ - first_->sent_at >= length; }
  Nanos length() const { return first_ ? last_sent_at_ - first_->sent_at : Nanos::zero(); }
  const std::optional<Sample>& first() const { return first_; }  // unset: not healthy now, or no sample yet
  const std::optional<Sample>& last_bad() const { return last_bad_; }  // the last sample that was not healthy
  bool fed() const { return first_ || last_bad_; }

 private:
  std::optional<Sample> first_;
  std::optional<Sample> last_bad_;
  Nanos last_sent_at_{};
};

}  // namespace faultline
