#include "agent/watchdog/main.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "agent/watchdog/line.h"
#include "agent/watchdog/serve.h"
#include "common/unique_fd.h"

namespace faultline {
namespace {

// What could not be had is said and done without: a watchdog with less is better than none.
void expect(bool done, std::string_view what) {
  const int error = errno;
  if (!done)
    Line("warning").text("event=watchdog_without what=\"").text(what).text("\" errno=").number(error).write();
}

bool write_file(const std::string& path, std::string_view text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.valid() && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool enter_cgroup(const std::string& path) {
  // Another agent's watchdog may just be removing it.
  for (int tries = 0; tries < 5; ++tries) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return false;
    if (write_file(path + "/cgroup.procs", "0")) return true;
  }
  return false;
}

void set_apart() {
  ::setsid();  // fails only where we lead a session already
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
  ::prctl(PR_SET_NAME, kWatchdogName);
  ::syscall(SYS_close_range, kWatchdogSocket + 1, ~0u, 0);
  ::fcntl(kWatchdogSocket, F_SETFD, FD_CLOEXEC);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) expect(::dup2(null, fd) >= 0, "/dev/null");
  ::close(null);
  expect(::chdir("/") == 0, "working directory /");  // nobody's mount is held
  expect(write_file("/proc/self/oom_score_adj", "-1000"), "oom_score_adj");
  expect(::setpriority(PRIO_PROCESS, 0, -20) == 0, "nice -20");  // a starved machine is where it is needed
}

}  // namespace

int watchdog_main(const char* cgroup_root) {
  set_apart();
  const std::string root(cgroup_root);
  const std::string own = root + "/" + kWatchdogCgroup;
  const std::string root_procs = root + "/cgroup.procs";
  const bool in_cgroup = enter_cgroup(own);
  expect(in_cgroup, "cgroup of its own");
  expect(::mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "mlockall");
  const int failures = serve_wills(kWatchdogSocket);
  if (in_cgroup && write_file(root_procs, "0")) ::rmdir(own.c_str());  // EBUSY: another agent's is in it
  return failures == 0 ? 0 : 1;
}

}  // namespace faultline
