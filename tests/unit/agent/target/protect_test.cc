#include "agent/target/protect.h"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/unit/agent/target/cgroup_tree.h"

namespace faultline {
namespace {

using testing::IdleProcess;

std::string refusal(const std::string& cgroup, const std::vector<pid_t>& processes,
                    const std::vector<std::string>& protect = {}) {
  const Status status = check_not_protected(cgroup, processes, protect);
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << cgroup << ": " << status;
  return message_of(status);
}

TEST(Protect, LetsAnOrdinaryCgroupThrough) {
  const IdleProcess idle;
  EXPECT_TRUE(check_not_protected("/app", {idle.pid()}, {"/kube", "/application"}).ok());
}

TEST(Protect, RefusesTheRootCgroup) {
  EXPECT_NE(refusal("/", {}).find("root cgroup"), std::string::npos);
}

TEST(Protect, RefusesWhatHoldsInitOrTheAgent) {
  EXPECT_NE(refusal("/app", {1}).find("init"), std::string::npos);
  const IdleProcess idle;
  EXPECT_NE(refusal("/app", {idle.pid(), ::getpid()}).find("this agent"), std::string::npos);
}

TEST(Protect, RefusesConfiguredCgroupsAndWhatIsBelowThem) {
  for (const char* cgroup : {"/system.slice", "/system.slice/db.service", "/system.slice/a/b"}) {
    EXPECT_NE(refusal(cgroup, {}, {"/other", "/system.slice"}).find("configuration"), std::string::npos);
  }
  EXPECT_TRUE(check_not_protected("/system.slice2", {}, {"/system.slice"}).ok()) << "a path, not a prefix";
}

TEST(Protect, RefusesWhatHoldsAConfiguredCgroup) {
  EXPECT_NE(refusal("/pods", {}, {"/pods/pod1/db"}).find("/pods/pod1/db"), std::string::npos);
  EXPECT_TRUE(check_not_protected("/pods/pod2", {}, {"/pods/pod1/db"}).ok());
}

// A child that carries the name of a daemon, in our pid namespace as the daemons of the host are.
class Named {
 public:
  explicit Named(const char* name) {
    int ready[2];
    if (::pipe(ready) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::prctl(PR_SET_NAME, name);
      (void)!::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    char named = 0;
    (void)!::read(ready[0], &named, 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~Named() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

// The kernel cuts names to 15 characters.
TEST(Protect, RefusesCgroupsOfHostCriticalDaemons) {
  for (const char* daemon : {"systemd", "systemd-journald", "systemd-logind", "sshd", "sshd-session",
                             "systemd-network", "faultline-watch", "kubelet", "containerd",
                             "containerd-shim-runc-v2", "dockerd", "crio", "conmon", "faultline-agent"}) {
    const Named process(daemon);
    const std::string text = refusal("/app", {process.pid()});
    EXPECT_NE(text.find(std::string(daemon).substr(0, 15)), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(process.pid())), std::string::npos) << text;
  }
}

TEST(Protect, LetsThroughWhatOnlySoundsLikeADaemon) {
  for (const char* name :
       {"sshd-metrics", "crio-exporter", "systemd2", "kubelet_test", "my-sshd", "runcible"}) {
    const Named process(name);
    EXPECT_TRUE(check_not_protected("/app", {process.pid()}, {}).ok()) << name;
  }
}

TEST(Protect, AProcessThatHasEndedProtectsNothing) {
  EXPECT_TRUE(check_not_protected("/app", {99'999'999}, {}).ok());
}

}  // namespace
}  // namespace faultline
