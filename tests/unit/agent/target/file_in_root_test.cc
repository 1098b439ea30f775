#include "agent/target/file_in_root.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace faultline {
namespace {

// This process's own root is the system's, so its files are below a temporary folder.
struct FileInRoot : ::testing::Test {
  testing::TempDir folder;

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder.path() + "/" + name) << text;
    return folder.path() + "/" + name;
  }
};

TEST_F(FileInRoot, IsReadWhole) {
  EXPECT_EQ(read_file_in_root(::getpid(), write("a", "one\ntwo\n"), 8).value(), "one\ntwo\n");
  EXPECT_EQ(read_file_in_root(::getpid(), write("b", ""), 8).value(), "");
}

TEST_F(FileInRoot, IsNeverMoreThanTheLimit) {
  EXPECT_EQ(read_file_in_root(::getpid(), write("a", "123456789"), 8).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(read_file_in_root(::getpid(), "/dev/zero", 8).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(FileInRoot, ThatIsAPipeOrAFolderIsNotOpened) {
  const std::string pipe = folder.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_file_in_root(::getpid(), pipe, 8).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(read_file_in_root(::getpid(), folder.path(), 8).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(FileInRoot, ThatIsMissingIsNotFound) {
  EXPECT_EQ(read_file_in_root(::getpid(), folder.path() + "/none", 8).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(read_file_in_root(0x3fffffff, "/etc/hosts", 8).status().code(), StatusCode::kNotFound);
}

TEST_F(FileInRoot, MayBeASymbolicLinkButNotAMagicOne) {
  const std::string file = write("a", "text");
  const std::string link = folder.path() + "/link", magic = folder.path() + "/magic";
  ASSERT_EQ(::symlink(file.c_str(), link.c_str()), 0);
  ASSERT_EQ(::symlink("/proc/self/root/etc/hosts", magic.c_str()), 0);
  EXPECT_EQ(read_file_in_root(::getpid(), link, 8).value(), "text");
  EXPECT_FALSE(read_file_in_root(::getpid(), magic, 1 << 20).ok());
}

}  // namespace
}  // namespace faultline
