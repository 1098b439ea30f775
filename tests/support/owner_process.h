// A process of its own that makes something, holds it and is killed: for looking what the kernel keeps of it
// then.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>

namespace faultline::testing {

class OwnerProcess {
 public:
  // Says whether the making went well, and never returns.
  using Hold = std::function<void(bool good)>;

  // `make` runs in the child, must end in the call of `hold`, and owns there what it has made. Returns once
  // that is called.
  explicit OwnerProcess(const std::function<void(const Hold& hold)>& make) {
    int ready[2];
    if (::pipe(ready) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      make([&](bool good) {
        const char word = good ? 'r' : 'x';
        [[maybe_unused]] const ssize_t n = ::write(ready[1], &word, 1);
        for (;;) ::pause();
      });
      ::_exit(1);
    }
    ::close(ready[1]);
    char word = 0;
    made_ = ::read(ready[0], &word, 1) == 1 && word == 'r';  // nothing: the child has crashed
    ::close(ready[0]);
  }
  ~OwnerProcess() { kill(); }
  OwnerProcess(const OwnerProcess&) = delete;
  OwnerProcess& operator=(const OwnerProcess&) = delete;

  bool made() const { return made_; }
  pid_t pid() const { return pid_; }
  // SIGKILL; on return the kernel has closed all its descriptors.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  bool made_ = false;
};

}  // namespace faultline::testing
