// The steering programs of one target: which packets and connection attempts meet which fault, until when,
// and what is done to them. Owns the loaded programs and their links to the cgroup; auto: destroying it, or
// the process's death, ends all its effect. Minimum kernel: 6.1 with BTF, cgroup v2.
//
// Threads: one writer at a time for everything but set_deadline and counters, which may run beside it for
// faults that the caller keeps alive.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/kernel/cgroup_programs.h"
#include "agent/kernel/filter_stub.h"
#include "agent/kernel/net_rules.h"
#include "agent/kernel/netns.h"
#include "bpf/abi/net_steer.h"
#include "common/clock.h"
#include "common/status.h"
#include "common/unique_fd.h"

struct net_steer;
struct bpf_link;

namespace faultline {

constexpr std::uint32_t hook_bit(fl_net_hook hook) {
  return 1u << hook;
}

struct SteerRule {
  PacketMatch match;
  std::uint32_t hooks = 0;      // hook_bit()s
  std::int32_t precedence = 0;  // where several match, the highest has the packet, then the earliest
  std::uint32_t lifted = 0;     // exemptions that do not hold for it, by their place in the list: 1 << i
  fl_schedule schedule{};
  fl_selection selection{};
  std::uint64_t seed = 0;
  double share = 1.0;  // (0, 1]
  bool share_of_connections = false;
  std::uint32_t priority = 0;  // qdisc handle | band; 0: refuse (egress)
  int error = 0;               // errno of connect()
};

struct SteerCounters {
  std::uint64_t evaluated = 0;
  std::uint64_t matched = 0;
  std::uint64_t injected = 0;
};

class NetSteer {
 public:
  // Loads the programs; nothing is attached, nobody is concerned. Takes a while: the kernel proves them.
  static StatusOr<std::unique_ptr<NetSteer>> load();
  // For the cgroup at this depth below the root. Once, before anything else. The descriptor is only used
  // here.
  Status aim(int cgroup_fd, std::uint64_t cgroup_id, std::uint32_t level, std::vector<Exemption> exemptions);
  ~NetSteer();

  // In force, as its schedule says, from the return on. Attaches what its hooks need. ResourceExhausted
  // beyond FL_NET_MAX_RULES rules or FL_NET_MAX_FAULTS faults and exemptions. The result names the fault
  // below.
  StatusOr<int> add(const SteerRule& rule);
  // From the return on, it concerns this traffic instead.
  Status replace(int fault, const PacketMatch& match);
  void set_deadline(int fault, MonoTime deadline);
  // Nothing that the programs begin to look at after the return meets this fault.
  void remove(int fault);

  // Since the fault's add. After its remove the numbers are good until the next add.
  SteerCounters counters(int fault) const;

  // For FL_HOOK_SHAPE, which decides outside of the target's network namespace, at doors.
  struct Door {
    int ifindex = 0;
    int nsid = -1;  // of the target's namespace, as seen from the device's; -1: the same
    int entry = 0;  // both of the detour around the device; 0: there is none
    int exit = 0;
  };
  Status open_door(const Door& door);
  void close_door(int ifindex);
  // The program for a filter of the tree on a door without a detour. The descriptor is good as long as this
  // lives, and so is the program's effect.
  StatusOr<int> shape_program();
  // The program that sends packets into the detour at a door, on the way out of the device. From 6.6 on.
  StatusOr<UniqueFd> attach_redirect(const Netns& netns, int ifindex);

  // The programs that are attached to the cgroup.
  std::vector<CgroupProgram> attached_programs() const { return programs_; }
  bool idle() const { return rules_.empty(); }

 private:
  struct Entry {
    int fault;
    SteerRule rule;
  };
  NetSteer() = default;
  Status attach(std::uint32_t hooks);
  StatusOr<int> free_fault() const;
  Status publish();
  std::uint64_t evaluated(std::uint32_t hooks) const;

  net_steer* skeleton_ = nullptr;
  std::unique_ptr<FilterStub> shape_stub_;  // null: not used yet
  bool redirects_ = false;                  // a program has stood at a door with a detour
  UniqueFd cgroup_;
  std::vector<Exemption> exemptions_;
  std::vector<bpf_link*> links_;
  std::vector<CgroupProgram> programs_;  // of links_
  std::uint32_t attached_ = 0;           // hooks
  std::vector<Entry> rules_;             // highest precedence first
  struct Baseline {
    std::uint32_t hooks = 0;
    std::uint64_t evaluated = 0;
  };
  std::array<Baseline, FL_NET_MAX_FAULTS> before_{};
  bool grace_needed_ = false;  // programs may still read the table that is not in force
  bool stale_ = false;         // the table in force names a fault that was removed
};

}  // namespace faultline
