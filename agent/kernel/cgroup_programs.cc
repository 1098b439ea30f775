#include "agent/kernel/cgroup_programs.h"

#include <bpf/bpf.h>

#include <cerrno>

namespace faultline {

StatusOr<std::vector<std::uint32_t>> egress_programs(int cgroup_fd) {
  std::vector<std::uint32_t> ids(64);  // BPF_CGROUP_MAX_PROGS
  auto count = static_cast<__u32>(ids.size());
  __u32 flags = 0;
  if (bpf_prog_query(cgroup_fd, BPF_CGROUP_INET_EGRESS, 0, &flags, ids.data(), &count) != 0) {
    return errno_status(errno, "list the cgroup's egress programs");
  }
  ids.resize(count);
  return ids;
}

}  // namespace faultline
