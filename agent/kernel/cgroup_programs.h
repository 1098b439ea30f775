// Which BPF programs are attached to a cgroup: part of a target's kernel state. Minimum kernel: 4.15.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace faultline {

enum class CgroupHook {
  kEgress,
  kIngress,
  kConnect4,
  kConnect6,
  kSendmsg4,
  kSendmsg6,
  kRecvmsg4,
  kRecvmsg6,
  kGetpeername4,
  kGetpeername6,
};

std::string_view name_of(CgroupHook hook);  // "egress", "connect4"

struct CgroupProgram {
  CgroupHook hook{};
  std::uint32_t id = 0;
  friend bool operator==(const CgroupProgram&, const CgroupProgram&) = default;
};

// "cgroup egress program 7"
std::string to_string(const CgroupProgram& program);

// The programs attached to these hooks of the cgroup itself (not to its ancestors). NotFound: the cgroup is
// gone, and they with it.
StatusOr<std::vector<CgroupProgram>> cgroup_programs(int cgroup_fd, std::initializer_list<CgroupHook> hooks);

}  // namespace faultline
