#include "agent/watchdog/serve.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <memory>

#include "tests/support/watchdog_child.h"

namespace faultline {
namespace {

using testing::WatchdogChild;

// A pipe whose write end is given away: it is closed once nobody holds it any more.
struct Given {
  Given() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    mine.reset(ends[0]);
    given.reset(ends[1]);
  }
  StickyWill will() const {
    return {.action = StickyWill::Action::kRemoveRootQdisc,
            .fd = given.get(),
            .ifindex = 1,
            .handle = 0xfa170000};
  }
  bool let_go(int patience_ms) const {
    pollfd end{.fd = mine.get(), .events = 0, .revents = 0};
    return ::poll(&end, 1, patience_ms) == 1;
  }
  UniqueFd mine, given;
};

TEST(WatchdogServe, TheCountOfAllocationsCounts) {
  const unsigned long before = testing::allocations();
  int* volatile number = new int(7);
  void* volatile memory = std::malloc(10);
  delete number;
  std::free(memory);
  EXPECT_EQ(testing::allocations(), before + 2);
}

TEST(WatchdogServe, HoldsAWillUntilItIsWithdrawn) {
  WatchdogChild watchdog;
  Given given;
  EXPECT_EQ(watchdog.hold(1, given.will()), 0);
  given.given.reset();
  EXPECT_FALSE(given.let_go(50)) << "it holds the descriptor";
  watchdog.withdraw(1);
  EXPECT_TRUE(given.let_go(5000));
  const auto end = watchdog.finish();
  EXPECT_EQ(end.failures, 0) << "there was nothing to carry out";
}

// The descriptor is no network namespace, so this will cannot be carried out anywhere.
TEST(WatchdogServe, CarriesOutWhatIsStillHeldWhenTheAgentHasGoneAndSaysWhatFailed) {
  WatchdogChild watchdog;
  Given kept, withdrawn;
  ASSERT_EQ(watchdog.hold(1, kept.will()), 0);
  ASSERT_EQ(watchdog.hold(2, withdrawn.will()), 0);
  watchdog.withdraw(2);
  EXPECT_EQ(watchdog.finish().failures, 1);
}

TEST(WatchdogServe, AsksForNoMemoryWhileItWorks) {
  WatchdogChild watchdog;
  Given given;
  const UniqueFd netns(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  for (std::uint64_t id = 1; id <= 400; ++id) {
    ASSERT_EQ(watchdog.hold(id, given.will()), 0);
    watchdog.withdraw(id);
  }
  ASSERT_EQ(watchdog.hold(401, given.will()), 0);
  // A real namespace, too, in which nothing has that handle: it is entered (as root) and listed, and left
  // alone.
  ASSERT_EQ(watchdog.hold(402, {.action = StickyWill::Action::kRemoveRootQdisc,
                                .fd = netns.get(),
                                .ifindex = 1,
                                .handle = 0xfa170000}),
            0);
  const auto end = watchdog.finish();
  EXPECT_EQ(end.allocations, 0u);
  EXPECT_GE(end.failures, 1);
}

TEST(WatchdogServe, RefusesWhatItCannotDo) {
  WatchdogChild watchdog;
  Given given;
  StickyWill will = given.will();
  will.fd = -1;
  EXPECT_EQ(watchdog.hold(1, will), EBADF);
  will = given.will();
  will.action = StickyWill::Action::kNothing;
  EXPECT_EQ(watchdog.hold(2, will), EINVAL);
  given.given.reset();
  EXPECT_TRUE(given.let_go(5000)) << "what is refused is not kept";
  EXPECT_EQ(watchdog.finish().failures, 0);
}

TEST(WatchdogServe, HoldsSoManyWillsAndNoMore) {
  WatchdogChild watchdog;
  Given given;
  for (std::uint64_t id = 1; id <= kMaxWills; ++id) ASSERT_EQ(watchdog.hold(id, given.will()), 0) << id;
  EXPECT_EQ(watchdog.hold(kMaxWills + 1, given.will()), ENOSPC);
  for (std::uint64_t id = 1; id <= kMaxWills; ++id) watchdog.withdraw(id);
  EXPECT_EQ(watchdog.hold(1, given.will()), 0) << "there is room again";
  watchdog.withdraw(1);
  const auto end = watchdog.finish();
  EXPECT_EQ(end.failures, 0);
  EXPECT_EQ(end.allocations, 0u);
}

TEST(WatchdogServe, APacketOfAnotherSizeIsNoWill) {
  WatchdogChild watchdog;
  watchdog.send_raw("x", 1);
  Given given;
  EXPECT_EQ(watchdog.hold(1, given.will()), 0);
  watchdog.withdraw(1);
  EXPECT_EQ(watchdog.finish().failures, 0);
}

}  // namespace
}  // namespace faultline
