#include "controller/cli/signal_watch.h"

#include <pthread.h>
#include <sys/signalfd.h>

#include <csignal>
#include <cstring>

namespace faultline {

StatusOr<SignalWatch> SignalWatch::make() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    if (signal == SIGHUP && action.sa_handler == SIG_IGN) continue;
    ::signal(signal, SIG_DFL);  // an ignored signal would be thrown away before it could be read
    sigaddset(&set, signal);
  }
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return errno_status(error, "block signals");
  }
  UniqueFd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd.valid()) return errno_status(errno, "signalfd");
  return SignalWatch(std::move(fd));
}

std::optional<std::string> SignalWatch::received() {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof(info)) == sizeof(info)) {
    received_ = fmt::format("SIG{}", ::sigabbrev_np(static_cast<int>(info.ssi_signo)));
  }
  return received_;
}

}  // namespace faultline
