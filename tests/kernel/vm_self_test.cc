// The VM is what the kernel tests believe it to be. If one of these fails, no other kernel test means
// anything.
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/kernel_test.h"

namespace faultline {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Vm, RunsTheKernelAskedFor) {
  ASSERT_NE(environment("FAULTLINE_KERNEL"), "");
  utsname name{};
  ASSERT_EQ(uname(&name), 0);
  EXPECT_THAT(name.release, ::testing::StartsWith(environment("FAULTLINE_KERNEL") + "."));
}

TEST(Vm, TurnsASkipIntoAFailure) {
  EXPECT_FATAL_FAILURE(REQUIRE_SUPPORTED(false, "no such thing"), "required here: no such thing");
}

TEST(Vm, HasTheControllersOfCgroup2) {
  struct statfs info {};
  ASSERT_EQ(statfs("/sys/fs/cgroup", &info), 0);
  EXPECT_EQ(info.f_type, CGROUP2_SUPER_MAGIC);
  const std::string enabled = content("/sys/fs/cgroup/cgroup.subtree_control");
  for (const char* controller : {"cpu", "io", "memory", "pids"}) {
    EXPECT_THAT(enabled, ::testing::HasSubstr(controller));
  }
}

TEST(Vm, HasTheModulesOfItsKernel) {
  utsname name{};
  ASSERT_EQ(uname(&name), 0);
  const std::string folder = std::string("/lib/modules/") + name.release;
  EXPECT_THAT(content(folder + "/modules.dep"), ::testing::HasSubstr("/sch_netem.ko"));
}

TEST(Vm, RunsAsRoot) {
  EXPECT_EQ(geteuid(), 0U);
}

TEST(Vm, HasARootOfItsOwnToWriteTo) {
  struct statfs info {};
  ASSERT_EQ(statfs("/", &info), 0);
  EXPECT_EQ(info.f_type, OVERLAYFS_SUPER_MAGIC);
  std::ofstream file("/etc/faultline-vm-self-test");
  file << "written";
  file.close();
  ASSERT_TRUE(file);
  EXPECT_EQ(content("/etc/faultline-vm-self-test"), "written");
  EXPECT_TRUE(std::filesystem::remove("/etc/faultline-vm-self-test"));
}

}  // namespace
}  // namespace faultline
