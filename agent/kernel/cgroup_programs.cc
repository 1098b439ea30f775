#include "agent/kernel/cgroup_programs.h"

#include <bpf/bpf.h>

#include <array>
#include <cerrno>

namespace faultline {
namespace {

struct Hook {
  std::string_view name;
  bpf_attach_type type;
};

const Hook& row_of(CgroupHook hook) {
  static constexpr Hook kHooks[] = {
      {"egress", BPF_CGROUP_INET_EGRESS},
      {"ingress", BPF_CGROUP_INET_INGRESS},
      {"connect4", BPF_CGROUP_INET4_CONNECT},
      {"connect6", BPF_CGROUP_INET6_CONNECT},
      {"sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
      {"sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
      {"recvmsg4", BPF_CGROUP_UDP4_RECVMSG},
      {"recvmsg6", BPF_CGROUP_UDP6_RECVMSG},
      {"getpeername4", BPF_CGROUP_INET4_GETPEERNAME},
      {"getpeername6", BPF_CGROUP_INET6_GETPEERNAME},
  };
  return kHooks[static_cast<std::size_t>(hook)];
}

}  // namespace

std::string_view name_of(CgroupHook hook) {
  return row_of(hook).name;
}

std::string to_string(const CgroupProgram& program) {
  return fmt::format("cgroup {} program {}", name_of(program.hook), program.id);
}

StatusOr<std::vector<CgroupProgram>> cgroup_programs(int cgroup_fd, std::initializer_list<CgroupHook> hooks) {
  std::vector<CgroupProgram> programs;
  for (const CgroupHook hook : hooks) {
    std::array<std::uint32_t, 64> ids{};  // BPF_CGROUP_MAX_PROGS
    auto count = static_cast<__u32>(ids.size());
    __u32 flags = 0;
    if (bpf_prog_query(cgroup_fd, row_of(hook).type, 0, &flags, ids.data(), &count) != 0) {
      return errno_status(errno, fmt::format("list the cgroup's {} programs", name_of(hook)));
    }
    for (__u32 i = 0; i < count; ++i) programs.push_back({.hook = hook, .id = ids[i]});
  }
  return programs;
}

}  // namespace faultline
