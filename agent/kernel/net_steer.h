// The egress steering program on one cgroup: which packets go to which band, until when. Owns the loaded
// program and its link; auto: destroying it, or the process's death, ends all its effect. Minimum
// kernel: 5.12, cgroup v2.
//
// Threads: one writer at a time for add, remove; set_deadline and counters may run beside them for faults
// that the caller keeps alive.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "agent/kernel/net_rules.h"
#include "bpf/abi/net_steer.h"
#include "common/clock.h"
#include "common/status.h"

struct net_steer;
struct bpf_link;

namespace faultline {

struct SteerTo {
  std::uint32_t priority = 0;  // qdisc handle | band
  double probability = 1.0;    // (0, 1]
  std::uint64_t seed = 0;
};

struct SteerCounters {
  std::uint64_t evaluated = 0;
  std::uint64_t matched = 0;
  std::uint64_t injected = 0;
};

class NetSteer {
 public:
  // Loads the program and attaches it to the cgroup with no rule in force. The descriptor is only used here.
  static StatusOr<std::unique_ptr<NetSteer>> make(int cgroup_fd);
  ~NetSteer();

  // In force from the return on; earlier faults win where several match. ResourceExhausted beyond 32 faults
  // or 64 rules. The result names the fault in the calls below.
  StatusOr<int> add(const PacketMatch& match, const SteerTo& to, MonoTime deadline);
  void set_deadline(int fault, MonoTime deadline);
  // No packet that the program begins to look at after the return is steered for this fault.
  void remove(int fault);

  // Since the fault's add. After its remove the numbers are good until the next add.
  SteerCounters counters(int fault) const;
  std::uint32_t program_id() const { return program_id_; }
  bool idle() const { return matches_.empty(); }

 private:
  struct Entry {
    int fault;
    PacketMatch match;
  };
  NetSteer() = default;
  void publish();
  std::uint64_t evaluated() const;

  net_steer* skeleton_ = nullptr;
  bpf_link* link_ = nullptr;
  std::uint32_t program_id_ = 0;
  std::vector<Entry> matches_;  // in order of precedence
  std::array<std::atomic<std::uint64_t>, FL_NET_MAX_FAULTS> evaluated_before_{};
  bool grace_needed_ = false;
};

}  // namespace faultline
