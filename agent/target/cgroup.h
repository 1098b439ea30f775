// The cgroup v2 hierarchy as files. Paths are below the hierarchy's mount point and begin with "/".
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace faultline {

// Mount point of cgroup v2, also on hosts that still mount v1 beside it.
StatusOr<std::string> find_cgroup_root();

// Pids in the cgroup and everything below it.
StatusOr<std::vector<pid_t>> processes_below(const std::string& root, const std::string& cgroup);

// Ids (as BPF and sockets have them) of the cgroup and everything below it.
StatusOr<std::set<std::uint64_t>> cgroup_ids_below(int cgroup_fd);

StatusOr<std::string> cgroup_of_process(pid_t pid);

// The one cgroup that belongs to the container. NotFound: none; FailedPrecondition: several fit.
StatusOr<std::string> cgroup_of_container(const std::string& root, const std::string& id);

// Pure. Whether a cgroup directory of this name belongs to the container: the id itself, or as container
// engines wrap it (docker-ID.scope, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope, crun-ID.scope).
// A hexadecimal id may be shortened to 12 digits or more.
bool names_container(std::string_view directory, std::string_view id);

}  // namespace faultline
