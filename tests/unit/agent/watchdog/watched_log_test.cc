#include "agent/watchdog/watched_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "agent/watchdog/main.h"
#include "tests/support/temp_dir.h"

namespace faultline {
namespace {

using namespace std::chrono_literals;

struct MemoryLog : StickyLog {
  StatusOr<std::uint64_t> intend(const StickyRecord&) override {
    FL_RETURN_IF_ERROR(refusal);
    open.insert(++last);
    return last;
  }
  Status settle(std::uint64_t entry) override {
    open.erase(entry);
    return no_settle;
  }
  Status refusal, no_settle;
  std::uint64_t last = 100;
  std::set<std::uint64_t> open;
};

// With real watchdog processes: this binary, started again. Their cgroup root is a plain folder.
struct WatchedLogTest : ::testing::Test {
  WatchedLogTest() : marker(::open((dir.path() + "/marker").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    log.check();
  }
  StickyRecord record() const {
    return {.kind = "net_tree",
            .where = {},
            .will = {.action = StickyWill::Action::kRemoveRootQdisc, .fd = marker.get(), .ifindex = 1}};
  }
  // How many copies of the marker the watchdog holds, that is, how many wills.
  int held() const {
    int count = 0;
    std::error_code error;
    for (const auto& fd :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", log.watchdog()), error)) {
      count += std::filesystem::read_symlink(fd, error) == dir.path() + "/marker";
    }
    return error ? -1 : count;
  }
  bool holds(int wanted) const {
    for (int i = 0; i < 500 && held() != wanted; ++i) std::this_thread::sleep_for(10ms);
    return held() == wanted;
  }
  void kill_watchdog() {
    const pid_t pid = log.watchdog();
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    for (int i = 0; i < 500 && log.watchdog() == pid; ++i) {
      std::this_thread::sleep_for(10ms);
      log.check();
    }
    ASSERT_NE(log.watchdog(), pid);
  }

  testing::TempDir dir;
  UniqueFd marker;
  MemoryLog memory;
  WatchedLog log{memory, {.cgroup_root = dir.path(), .patience = 500ms}};
};

TEST_F(WatchedLogTest, TheWatchdogHoldsTheWillFromIntendToSettle) {
  const auto entry = log.intend(record());
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(held(), 1) << "before intend returns";
  EXPECT_EQ(memory.open.size(), 1u);
  EXPECT_TRUE(log.settle(*entry).ok());
  EXPECT_TRUE(holds(0));
  EXPECT_TRUE(memory.open.empty());
}

TEST_F(WatchedLogTest, WhatNobodyCouldUndoGoesToTheLogAlone) {
  const auto entry = log.intend({.kind = "other", .where = {}});
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(held(), 0);
  EXPECT_TRUE(log.settle(*entry).ok());
}

TEST_F(WatchedLogTest, AWatchdogThatDiedIsReplacedAndToldEverythingAgain) {
  const auto first = log.intend(record());
  const auto second = log.intend(record());
  ASSERT_TRUE(first.ok() && second.ok());
  kill_watchdog();
  EXPECT_TRUE(holds(2));
  ASSERT_TRUE(log.settle(*first).ok());
  EXPECT_TRUE(holds(1));
  ASSERT_TRUE(log.settle(*second).ok());
}

TEST_F(WatchedLogTest, AnIntentFindsOutThatTheWatchdogHasDied) {
  const auto first = log.intend(record());
  ::kill(log.watchdog(), SIGKILL);
  const auto second = log.intend(record());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(held(), 2);
  ASSERT_TRUE(log.settle(*first).ok() && log.settle(*second).ok());
}

TEST_F(WatchedLogTest, AWatchdogThatDoesNotAnswerIsReplaced) {
  const auto first = log.intend(record());
  const pid_t frozen = log.watchdog();
  ::kill(frozen, SIGSTOP);
  const auto second = log.intend(record());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(log.watchdog(), frozen);
  EXPECT_EQ(held(), 2);
  EXPECT_NE(::kill(frozen, 0), 0) << "it has been killed, before it could act on its own";
  ASSERT_TRUE(log.settle(*first).ok() && log.settle(*second).ok());
}

TEST_F(WatchedLogTest, WithoutARecordThereIsNoWill) {
  memory.refusal = errno_status(ENOSPC, "write journal");
  const Status refused = log.intend(record()).status();
  EXPECT_EQ(refused, memory.refusal);
  EXPECT_TRUE(holds(0));
}

TEST_F(WatchedLogTest, ASettledWillIsWithdrawnWhateverBecomesOfTheRecord) {
  const auto entry = log.intend(record());
  memory.no_settle = errno_status(ENOSPC, "write journal");
  EXPECT_EQ(log.settle(*entry), memory.no_settle);
  EXPECT_TRUE(holds(0));
}

TEST_F(WatchedLogTest, WithoutAWatchdogNothingIsIntended) {
  WatchedLog none(memory, {.executable = "/nonexistent/agent", .cgroup_root = dir.path()});
  none.check();
  EXPECT_EQ(none.watchdog(), -1);
  const Status refused = none.intend(record()).status();
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_EQ(message_of(refused), "watchdog: start /nonexistent/agent: No such file or directory");
  EXPECT_TRUE(memory.open.empty());
}

TEST_F(WatchedLogTest, AProgramThatIsNoWatchdogIsNone) {
  WatchedLog none(memory, {.executable = "/bin/true", .cgroup_root = dir.path()});
  const Status refused = none.intend(record()).status();
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_EQ(message_of(refused), "watchdog: it has ended");
}

TEST_F(WatchedLogTest, TheWatchdogIsApartFromTheAgent) {
  const auto entry = log.intend(record());  // it has set itself up
  const std::string proc = fmt::format("/proc/{}/", log.watchdog());
  EXPECT_EQ(::getsid(log.watchdog()), log.watchdog());
  std::string name;
  std::getline(std::ifstream(proc + "comm"), name);
  EXPECT_EQ(name, kWatchdogName);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::kill(log.watchdog(), number);
  const auto other = log.intend(record());
  EXPECT_EQ(held(), 2) << "it is still there, deaf to what stops an agent";
  int fds = 0;
  for (const auto& fd : std::filesystem::directory_iterator(proc + "fd")) fds += fd.path().filename() != "";
  EXPECT_EQ(fds, 6) << "stdin, stdout, the log, the socket, and two wills; nothing else of ours";
  EXPECT_TRUE(log.settle(*entry).ok() && log.settle(*other).ok());
}

TEST_F(WatchedLogTest, AtTheEndTheWatchdogIsWaitedFor) {
  pid_t pid = -1;
  {
    WatchedLog other(memory, {.cgroup_root = dir.path()});
    other.check();
    pid = other.watchdog();
    ASSERT_GT(pid, 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace faultline
