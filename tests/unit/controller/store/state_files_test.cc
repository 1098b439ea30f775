#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "controller/store/atomic_file.h"
#include "controller/store/result_store.h"
#include "controller/store/run_owner.h"
#include "controller/store/state_dir.h"
#include "tests/support/temp_dir.h"

namespace faultline {
namespace {

using testing::file_text;
using testing::put_file;
using testing::TempDir;

class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value != nullptr ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Environment() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

std::size_t files_in(const std::string& dir) {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir)) ++n;
  return n;
}

TEST(StateDir, FollowsTheXdgSpecification) {
  Environment home("HOME", "/home/ann");
  {
    Environment state("XDG_STATE_HOME", "/var/lib/x");
    EXPECT_EQ(state_dir().value(), "/var/lib/x/faultline");
    EXPECT_EQ(default_store_path().value(), "/var/lib/x/faultline/results.db");
  }
  for (const char* not_absolute : {static_cast<const char*>(nullptr), "", "relative/path"}) {
    Environment state("XDG_STATE_HOME", not_absolute);
    EXPECT_EQ(state_dir().value(), "/home/ann/.local/state/faultline");
  }
}

TEST(StateDir, AsksTheUserDatabaseWithoutHome) {
  Environment state("XDG_STATE_HOME", nullptr);
  Environment home("HOME", nullptr);
  const StatusOr<std::string> dir = state_dir();
  ASSERT_TRUE(dir.ok()) << dir.status();
  EXPECT_TRUE(dir->starts_with("/") && dir->ends_with("/.local/state/faultline")) << *dir;
}

TEST(MakeDirs, CreatesEveryFolderAndAcceptsThoseThatExist) {
  TempDir dir;
  ASSERT_TRUE(make_dirs(dir / "a/b/c").ok());
  ASSERT_TRUE(make_dirs(dir / "a/b/c/").ok());
  EXPECT_TRUE(std::filesystem::is_directory(dir / "a/b/c"));
}

TEST(MakeDirs, NamesTheFileThatIsInTheWay) {
  TempDir dir;
  put_file(dir / "a", "");
  EXPECT_NE(message_of(make_dirs(dir / "a/b")).find(dir / "a"), std::string::npos);
  EXPECT_EQ(make_dirs(dir / "a").code(), StatusCode::kAlreadyExists);
}

TEST(AtomicFile, ReplacesTheOldTextAndLeavesNoOtherFile) {
  TempDir dir;
  ASSERT_TRUE(write_file_atomically(dir / "f", std::string(100'000, 'x')).ok());
  ASSERT_TRUE(write_file_atomically(dir / "f", std::string("a\0b", 3)).ok());
  EXPECT_EQ(file_text(dir / "f"), std::string("a\0b", 3));
  EXPECT_EQ(files_in(dir.path()), 1u);
}

TEST(AtomicFile, AFailureLeavesWhatWasThere) {
  TempDir dir;
  ASSERT_TRUE(make_dirs(dir / "taken/inside").ok());  // a folder cannot be replaced by a file
  EXPECT_FALSE(write_file_atomically(dir / "taken", "new").ok());
  EXPECT_TRUE(std::filesystem::is_directory(dir / "taken/inside"));
  EXPECT_EQ(files_in(dir.path()), 1u);
  EXPECT_EQ(write_file_atomically(dir / "missing/f", "new").code(), StatusCode::kNotFound);
}

TEST(AtomicFile, AnIncompleteWriteLeavesWhatWasThere) {
  TempDir dir;
  put_file(dir / "f", "old");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 4096;
  auto* handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = write_file_atomically(dir / "f", std::string(10'000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(file_text(dir / "f"), "old");
  EXPECT_EQ(files_in(dir.path()), 1u);
}

TEST(RunOwner, ThisProcessHasNotEnded) {
  const StatusOr<RunOwner> owner = this_process();
  ASSERT_TRUE(owner.ok()) << owner.status();
  EXPECT_EQ(owner->boot_id.size(), 36u);
  EXPECT_TRUE(owner->pid_namespace.starts_with("pid:[")) << owner->pid_namespace;
  EXPECT_FALSE(has_ended(*owner));
}

TEST(RunOwner, AnotherProcessUnderTheSamePidMeansEnded) {
  RunOwner owner = this_process().value();
  owner.start_ticks -= 1;
  EXPECT_TRUE(has_ended(owner));
}

TEST(RunOwner, AProcessThatOnlyWaitsToBeReapedHasEnded) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  RunOwner owner = this_process().value();
  const pid_t child = ::fork();
  if (child == 0) {
    const std::int64_t ticks = this_process().value().start_ticks;
    ::_exit(::write(ends[1], &ticks, sizeof ticks) == sizeof ticks ? 0 : 1);
  }
  owner.pid = child;
  ASSERT_EQ(::read(ends[0], &owner.start_ticks, sizeof owner.start_ticks), ssize_t{sizeof owner.start_ticks});
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(has_ended(owner));
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(RunOwner, AnotherBootMeansEndedAnotherNamespaceCannotBeKnown) {
  RunOwner rebooted = this_process().value();
  rebooted.boot_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_TRUE(has_ended(rebooted));
  RunOwner elsewhere = this_process().value();
  elsewhere.pid_namespace = "pid:[1]";
  elsewhere.start_ticks -= 1;
  EXPECT_FALSE(has_ended(elsewhere));
}

}  // namespace
}  // namespace faultline
