#include "controller/cli/halt_lever.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace faultline {
namespace {

class HaltLeverTest : public ::testing::Test {
 protected:
  testing::TempDir dir_;
  HaltLever lever_{dir_.path() + "/state/faultline"};  // not there yet
};

TEST_F(HaltLeverTest, IsReleasedUntilEngaged) {
  EXPECT_FALSE(lever_.engaged());
  ASSERT_TRUE(lever_.engage("too much").ok());
  EXPECT_EQ(lever_.engaged(), "too much");
  EXPECT_EQ(HaltLever(dir_.path() + "/state/faultline").engaged(), "too much")
      << "it must outlive the process";
}

TEST_F(HaltLeverTest, KeepsItsFirstReason) {
  ASSERT_TRUE(lever_.engage("first").ok());
  ASSERT_TRUE(lever_.engage("second").ok());
  EXPECT_EQ(lever_.engaged(), "first");
}

TEST_F(HaltLeverTest, ReleaseIsIdempotent) {
  ASSERT_TRUE(lever_.engage("x").ok());
  EXPECT_TRUE(lever_.release().value());
  EXPECT_FALSE(lever_.engaged());
  EXPECT_FALSE(lever_.release().value());
}

TEST_F(HaltLeverTest, EmptyOrStrangeFileStillHalts) {
  std::filesystem::create_directories(dir_.path() + "/state/faultline");
  std::ofstream(lever_.path()).flush();
  EXPECT_EQ(lever_.engaged(), "no reason given");
  std::filesystem::remove(lever_.path());
  std::filesystem::create_directory(lever_.path());
  EXPECT_TRUE(lever_.engaged());
}

}  // namespace
}  // namespace faultline
