// Keeps processes on one processor, and so all that the kernel does for their packets: what leaves one after
// the other comes one after the other, because no second processor can be overtaken by the first. A thread
// that only waits for the next millisecond is the witness of when that processor stood still. Needs root.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace faultline::testing {

class OneProcessor {
 public:
  explicit OneProcessor(std::vector<pid_t> processes) : processes_(std::move(processes)) {
    if (::sched_getaffinity(0, sizeof all_, &all_) != 0) throw std::runtime_error("sched_getaffinity");
    while (!CPU_ISSET(first_, &all_)) ++first_;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first_, &one);
    for (const pid_t process : processes_) keep(process, one);
    witness_ = std::jthread([this, one](const std::stop_token& stop) { watch(stop, one); });
  }
  ~OneProcessor() {
    for (const pid_t process : processes_) ::sched_setaffinity(process, sizeof all_, &all_);
  }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

  // How long it stood still until now, once it did so for longer than `beyond_s`: only what was longer
  // counts. The first call ends the watch.
  double stood_still_s(double beyond_s) {
    witness_ = {};
    double sum = 0;
    for (const double pause : pauses_s_) sum += std::max(0.0, pause - beyond_s);
    return sum;
  }

 private:
  static void keep(pid_t process, const cpu_set_t& set) {
    if (::sched_setaffinity(process, sizeof set, &set) != 0) throw std::runtime_error("sched_setaffinity");
  }

  // With no precedence: the kernel's own thread for packets has none, either, when there are many of them.
  void watch(const std::stop_token& stop, const cpu_set_t& one) {
    using Clock = std::chrono::steady_clock;
    keep(0, one);
    for (auto before = Clock::now(); !stop.stop_requested();) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const auto now = Clock::now();
      pauses_s_.push_back(std::chrono::duration<double>(now - before).count());
      before = now;
    }
  }

  std::vector<pid_t> processes_;
  std::vector<double> pauses_s_;  // the witness's own until it has ended
  cpu_set_t all_{};
  std::size_t first_ = 0;
  std::jthread witness_;
};

}  // namespace faultline::testing
