#include "controller/experiment/healthy_stretch.h"

namespace faultline {

void HealthyStretch::feed(const Sample& sample) {
  if (sample.state != HealthState::kHealthy) {
    first_.reset();
    last_bad_ = sample;
    return;
  }
  if (!first_) first_ = sample;
  last_sent_at_ = sample.sent_at;
}

}  // namespace faultline
