// Who wants to see a run while it goes on, such as the progress display.
//
// Calls come one at a time, from any of the run's threads, with the run's lock held: they must return at once
// and must not write to anything that can block (a stopped terminal must not hold up a revert).
#pragma once

#include "controller/experiment/record.h"

namespace faultline {

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_phase(Phase phase, Nanos at) = 0;
  virtual void on_sample(const Sample& sample) = 0;
  virtual void on_fault(const FaultOutcome& fault) = 0;  // applied, told by the agent, ended, failed
  virtual void on_interruption(Interruption cause, const std::string& detail) = 0;
};

}  // namespace faultline
