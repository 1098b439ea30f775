#include <fcntl.h>
#include <gtest/gtest.h>

#include <optional>

#include "common/scope_exit.h"
#include "common/unique_fd.h"

namespace faultline {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

UniqueFd open_null() {
  return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

TEST(UniqueFd, ClosesOnDestruction) {
  int raw = -1;
  {
    const UniqueFd fd = open_null();
    ASSERT_TRUE(fd.valid());
    raw = fd.get();
    EXPECT_TRUE(is_open(raw));
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(UniqueFd, MovingHandsOverAndClosesWhatWasHeld) {
  UniqueFd source = open_null();
  UniqueFd destination = open_null();
  const int moved = source.get();
  const int replaced = destination.get();
  destination = std::move(source);
  EXPECT_EQ(destination.get(), moved);
  EXPECT_TRUE(is_open(moved));
  EXPECT_FALSE(is_open(replaced));
}

TEST(UniqueFd, MovingOntoItselfKeepsTheDescriptor) {
  UniqueFd fd = open_null();
  UniqueFd& same = fd;
  fd = std::move(same);
  ASSERT_TRUE(fd.valid());
  EXPECT_TRUE(is_open(fd.get()));
}

TEST(UniqueFd, ReleaseGivesTheDescriptorAway) {
  int raw = -1;
  {
    UniqueFd fd = open_null();
    raw = fd.release();
    EXPECT_FALSE(fd.valid());
  }
  EXPECT_TRUE(is_open(raw));
  ::close(raw);
}

TEST(ScopeExit, RunsOnceAtTheEndUnlessReleased) {
  int runs = 0;
  {
    ScopeExit run([&] { ++runs; });
    EXPECT_EQ(runs, 0);
  }
  EXPECT_EQ(runs, 1);
  {
    ScopeExit released([&] { ++runs; });
    released.release();
  }
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace faultline
