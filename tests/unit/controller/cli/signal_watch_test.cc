#include "controller/cli/signal_watch.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <functional>

namespace faultline {
namespace {

// What `body` returns in a process of its own, whose signals no other test shares.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(SignalWatch, SignalsAreReadAndDoNotEndTheProcess) {
  EXPECT_EQ(in_child([] {
              StatusOr<SignalWatch> watch = SignalWatch::make();
              if (!watch.ok() || watch->received()) return 1;
              std::raise(SIGINT);
              if (watch->received() != "SIGINT") return 2;
              std::raise(SIGTERM);
              std::raise(SIGTERM);
              return watch->received() == "SIGTERM" && watch->received() == "SIGTERM" ? 0 : 3;
            }),
            0);
}

TEST(SignalWatch, InterruptIsReadEvenWhereTheShellHadItIgnored) {
  EXPECT_EQ(in_child([] {
              std::signal(SIGINT, SIG_IGN);
              StatusOr<SignalWatch> watch = SignalWatch::make();
              std::raise(SIGINT);
              return watch->received() == "SIGINT" ? 0 : 1;
            }),
            0);
}

TEST(SignalWatch, HangupStaysIgnoredUnderNohup) {
  EXPECT_EQ(in_child([] {
              std::signal(SIGHUP, SIG_IGN);
              StatusOr<SignalWatch> watch = SignalWatch::make();
              std::raise(SIGHUP);
              return watch->received() ? 1 : 0;
            }),
            0);
}

}  // namespace
}  // namespace faultline
