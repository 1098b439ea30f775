// Takes SIGINT, SIGTERM and SIGHUP as something to be read, not as something that happens to the program.
#pragma once

#include <optional>
#include <string>

#include "common/status.h"
#include "common/unique_fd.h"

namespace faultline {

class SignalWatch {
 public:
  // Blocks the signals for this thread and those that it starts: call it before any other thread exists. One
  // that was ignored already (nohup) stays so. Stays in force until the process ends.
  static StatusOr<SignalWatch> make();

  // The name of the last signal that came, "SIGINT"; unset before one came. One thread.
  std::optional<std::string> received();

 private:
  explicit SignalWatch(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  std::optional<std::string> received_;
};

}  // namespace faultline
