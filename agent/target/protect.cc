#include "agent/target/protect.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace faultline {
namespace {

// By the name the kernel shows (comm, 15 characters).
constexpr std::array<std::string_view, 19> kCritical = {"systemd",
                                                        "systemd-journal",
                                                        "systemd-logind",
                                                        "systemd-udevd",
                                                        "dbus-daemon",
                                                        "systemd-network",
                                                        "systemd-resolve",
                                                        "sshd",
                                                        "sshd-session",
                                                        "sshd-auth",
                                                        "kubelet",
                                                        "containerd",
                                                        "containerd-shim",
                                                        "dockerd",
                                                        "crio",
                                                        "conmon",
                                                        "faultline-agen",
                                                        "faultline-watch",
                                                        "runc"};

std::string comm_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string comm;
  std::getline(file, comm);
  return comm;
}

// A container may run an init or an sshd of its own: those are nobody's host.
bool in_our_pid_namespace(pid_t pid) {
  struct stat ours {};
  struct stat theirs {};
  return ::stat("/proc/self/ns/pid", &ours) == 0 &&
         ::stat(fmt::format("/proc/{}/ns/pid", pid).c_str(), &theirs) == 0 && ours.st_ino == theirs.st_ino;
}

bool below(const std::string& path, const std::string& top) {
  return path == top || path.starts_with(top.ends_with('/') ? top : top + "/");
}

}  // namespace

Status check_not_protected(const std::string& cgroup, const std::vector<pid_t>& processes,
                           const std::vector<std::string>& protect) {
  if (cgroup == "/") {
    return make_error(StatusCode::kPermissionDenied, "the root cgroup is protected: it holds the whole host");
  }
  for (const std::string& top : protect) {
    // A fault in a cgroup is a fault in everything below it.
    if (below(cgroup, top) || below(top, cgroup)) {
      return make_error(StatusCode::kPermissionDenied,
                        "cgroup {} is protected by the agent's configuration ({})", cgroup, top);
    }
  }
  for (const pid_t pid : processes) {
    if (pid == 1 || pid == ::getpid()) {
      return make_error(StatusCode::kPermissionDenied, "cgroup {} is protected: it holds {}", cgroup,
                        pid == 1 ? "init" : "this agent");
    }
    const std::string comm = comm_of(pid);
    const bool critical = std::any_of(kCritical.begin(), kCritical.end(), [&](auto name) {
      return comm.substr(0, name.size()) == name && (comm.size() == name.size() || name.size() >= 14);
    });
    if (critical && in_our_pid_namespace(pid)) {
      return make_error(StatusCode::kPermissionDenied, "cgroup {} is protected: it holds {} (pid {})", cgroup,
                        comm, pid);
    }
  }
  return ok_status();
}

}  // namespace faultline
