// The agent's end of one watchdog process. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "agent/fault/sticky_will.h"
#include "common/clock.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace faultline {

struct WatchdogCommand {
  std::string executable = "/proc/self/exe";  // understands kWatchdogOption
  std::string cgroup_root;                    // where it makes its own
  Nanos patience = std::chrono::seconds(5);   // with its answers; then it is taken for dead
};

class WatchdogProcess {
 public:
  // Unavailable when it cannot be started. It sets itself up meanwhile; the first hold() waits for that.
  static StatusOr<std::unique_ptr<WatchdogProcess>> start(const WatchdogCommand& command);
  // Kills it, so that it carries nothing out, and waits for its end.
  ~WatchdogProcess();
  WatchdogProcess(const WatchdogProcess&) = delete;
  WatchdogProcess& operator=(const WatchdogProcess&) = delete;

  // The will is held when it returns OK. ResourceExhausted: it has no room for more. Unavailable: the process
  // has gone or does not answer; it is of no more use.
  Status hold(std::uint64_t id, const StickyWill& will);
  Status withdraw(std::uint64_t id);
  bool alive() const;
  // As if we had died: lets it carry out what it still holds and end, and waits for that.
  void finish();
  pid_t pid() const { return pid_; }

 private:
  WatchdogProcess(pid_t pid, UniqueFd socket, Nanos patience)
      : pid_(pid), socket_(std::move(socket)), patience_(patience) {}
  Status answer_to(std::uint64_t id, Nanos patience);
  Status ready();

  pid_t pid_;
  UniqueFd socket_;
  Nanos patience_;
  bool ready_ = false;
};

}  // namespace faultline
