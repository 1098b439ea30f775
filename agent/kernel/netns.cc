#include "agent/kernel/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

namespace faultline {
namespace {

StatusOr<Netns> open_netns(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_status(errno, fmt::format("open {}", path));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return errno_status(errno, fmt::format("stat {}", path));
  return Netns{std::move(fd), static_cast<std::uint32_t>(st.st_ino)};
}

std::set<pid_t> all_processes() {
  std::set<pid_t> pids;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr == name.data() + name.size())
      pids.insert(pid);
  }
  return pids;
}

}  // namespace

StatusOr<Netns> netns_of_process(pid_t pid) {
  return open_netns(fmt::format("/proc/{}/ns/net", pid));
}

StatusOr<Netns> duplicate(const Netns& netns) {
  UniqueFd fd(::fcntl(netns.fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return errno_status(errno, "dup of a network namespace");
  return Netns{std::move(fd), netns.inode};
}

void visit_netns(const std::function<bool(Netns netns)>& visit) {
  std::set<std::uint32_t> seen;
  const auto go_on = [&](StatusOr<Netns> netns) {
    return !netns.ok() || !seen.insert(netns->inode).second || visit(*std::move(netns));
  };
  for (const pid_t pid : all_processes()) {
    if (!go_on(netns_of_process(pid))) return;
  }
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/run/netns", ignored)) {
    if (!go_on(open_netns(entry.path()))) return;
  }
}

StatusOr<Netns> find_netns(std::uint32_t inode) {
  StatusOr<Netns> found = make_error(StatusCode::kNotFound, "network namespace {} is gone", inode);
  visit_netns([&](Netns netns) {
    if (netns.inode != inode) return true;
    found = std::move(netns);
    return false;
  });
  return found;
}

Status run_in_netns(const Netns& netns, const std::function<Status()>& f) {
  Status result;
  std::thread inside([&] {
    // The thread ends here, so there is no way back to take and none to get wrong.
    if (::setns(netns.fd.get(), CLONE_NEWNET) != 0) {
      result = errno_status(errno, fmt::format("enter network namespace {}", netns.inode));
    } else {
      result = f();
    }
  });
  inside.join();
  return result;
}

}  // namespace faultline
