// A cgroup hierarchy made of plain folders and files, which the agent's target code reads like the real one,
// and processes to put into it.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace faultline::testing {

// A process of the test's own that only waits; it is killed with the object.
class IdleProcess {
 public:
  IdleProcess() {
    const char* const argv[] = {"sleep", "120", nullptr};
    const char* const env[] = {nullptr};
    if (::posix_spawn(&pid_, "/bin/sleep", nullptr, nullptr, const_cast<char* const*>(argv),
                      const_cast<char* const*>(env)) != 0) {
      throw std::runtime_error("cannot start /bin/sleep");
    }
  }
  ~IdleProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  IdleProcess(const IdleProcess&) = delete;
  IdleProcess& operator=(const IdleProcess&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

class CgroupTree {
 public:
  const std::string& root() const { return dir_.path(); }

  // Makes the cgroup (and those above it) or replaces its processes.
  void put(const std::string& cgroup, const std::vector<pid_t>& processes) {
    std::filesystem::create_directories(root() + cgroup);
    std::ofstream procs(root() + cgroup + "/cgroup.procs");
    for (const pid_t pid : processes) procs << pid << '\n';
  }
  void remove(const std::string& cgroup) { std::filesystem::remove_all(root() + cgroup); }

 private:
  TempDir dir_;
};

}  // namespace faultline::testing
