// What a fault is put into: a cgroup (v2) with everything below it, and the network namespaces its processes
// live in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/kernel/netns.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace faultline {

struct Target {
  std::string asked;   // "container:fl-demo-gateway"
  std::string cgroup;  // below the cgroup root, "/fl-demo-gateway"
  std::uint64_t cgroup_id = 0;
  UniqueFd cgroup_fd;
  std::vector<pid_t> processes;  // as seen when resolved, children of the cgroup included
  std::vector<Netns> netns;      // of those processes, each once

  std::string describe() const;  // "cgroup /fl-demo-gateway, 3 processes"
};

// Holds the same cgroup and namespaces by descriptors of its own.
StatusOr<Target> duplicate(const Target& target);

// Turns target references into targets. Holds only configuration; safe to use from several threads.
class TargetResolver {
 public:
  // `protect` adds cgroup paths (below the cgroup root, or absolute; with everything below) that may never be
  // targets.
  static StatusOr<TargetResolver> make(std::vector<std::string> protect);
  // The same over the hierarchy that is mounted at `root`.
  static StatusOr<TargetResolver> over(std::string root, std::vector<std::string> protect);

  // cgroup:PATH (below the cgroup root, or absolute), pid:N (its cgroup), container:ID (the cgroup whose name
  // holds the id). InvalidArgument: no such form. NotFound: nothing there, or no process in it.
  // PermissionDenied: the target is protected: the root cgroup, or one that holds init, the agent or a
  // host-critical daemon.
  StatusOr<Target> resolve(const std::string& reference) const;

  const std::string& cgroup_root() const { return root_; }

 private:
  TargetResolver(std::string root, std::vector<std::string> protect)
      : root_(std::move(root)), protect_(std::move(protect)) {}

  std::string root_;
  std::vector<std::string> protect_;
};

}  // namespace faultline
