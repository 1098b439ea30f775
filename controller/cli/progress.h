// Shows a run while it goes on: redrawn in place on a terminal, plain lines elsewhere. Events are only noted
// down by the run's threads; a thread of its own writes, so that a terminal which is stopped holds up nothing
// else.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "controller/cli/live_view.h"
#include "controller/cli/terminal.h"
#include "controller/experiment/run_observer.h"

namespace faultline {

class Progress final : public RunObserver {
 public:
  using Write = std::function<void(const std::string&)>;  // called from one thread

  Progress(const Experiment& experiment, MonoTime start, Terminal terminal, Write write);
  ~Progress() override;  // writes what is left

  void on_phase(Phase phase, Nanos at) override;
  void on_sample(const Sample& sample) override;
  void on_fault(const FaultOutcome& fault) override;
  void on_interruption(Interruption cause, const std::string& detail) override;

 private:
  void note(Nanos at, const std::string& text);  // locked
  void draw(const std::stop_token& stop);
  std::string next_frame(bool last);  // locked
  void note_counters();               // locked

  const MonoTime start_;
  const Terminal terminal_;
  const Write write_;

  std::mutex mutex_;
  std::condition_variable_any news_;
  LiveView view_;
  std::vector<std::string> lines_;  // noted, not yet written
  std::size_t drawn_ = 0;           // lines of the live block that stand on the terminal
  MonoTime counters_due_;
  std::map<std::string, std::string> counters_told_;  // the last line about each fault
  std::jthread drawer_;
};

}  // namespace faultline
