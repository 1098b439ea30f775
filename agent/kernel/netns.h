// Network namespaces: naming them by inode, and doing something inside one without moving the calling thread.
// Needs CAP_SYS_ADMIN. Minimum kernel: 3.8.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "common/status.h"
#include "common/unique_fd.h"

namespace faultline {

// Keeps the namespace alive while held.
struct Netns {
  UniqueFd fd;
  std::uint32_t inode = 0;  // of /proc/PID/ns/net; unique among the live namespaces of a host
};

StatusOr<Netns> netns_of_process(pid_t pid);
StatusOr<Netns> duplicate(const Netns& netns);

// The namespace with this inode, found through a process that lives in it, or through a mount in /run/netns.
// NotFound: no such namespace can be reached any more.
StatusOr<Netns> find_netns(std::uint32_t inode);

// Every namespace that can be reached, each once, until `visit` returns false: those of processes, by
// ascending pid, then those mounted in /run/netns.
void visit_netns(const std::function<bool(Netns netns)>& visit);

// Runs `f` on a thread of its own inside the namespace and waits for it. Sockets that `f` opens stay in the
// namespace. `f` must not throw.
Status run_in_netns(const Netns& netns, const std::function<Status()>& f);

}  // namespace faultline
