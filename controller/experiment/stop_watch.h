// Watches the samples for the experiment's stop conditions. A condition fires when its probe has been in the
// named state, or a worse one, without a break from the sending of the first such sample to the answer of the
// last, for at least its length. Unknown counts as unhealthy: a probe that can no longer tell does not keep a
// fault going. Pure: no clock, no I/O; copies what it needs of the experiment. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/experiment/record.h"

namespace faultline {

class StopWatch {
 public:
  explicit StopWatch(const Experiment& experiment);

  // In the order of arrival. Gives the reason at the moment a condition fires, once per condition. Samples of
  // the baseline and of the recovery are ignored: there is no fault to stop, and their own rules judge them.
  std::optional<std::string> feed(const Sample& sample);

  // Why the condition with this index fired; unset when it did not.
  const std::optional<std::string>& fired(std::size_t condition) const {
    return conditions_[condition].fired;
  }

 private:
  struct Condition {
    StopCondition rule;
    std::size_t probe = 0;
    std::optional<Nanos> since;
    std::optional<std::string> fired;
  };
  std::vector<Condition> conditions_;
};

}  // namespace faultline
