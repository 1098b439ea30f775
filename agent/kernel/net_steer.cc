#include "agent/kernel/net_steer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "net_steer.skel.h"

namespace faultline {
namespace {

// The program runs while we write: plain stores could be torn or reordered.
template <typename T>
void store(T& place, T value) {
  std::atomic_ref<T>(place).store(value, std::memory_order_release);
}
template <typename T>
T load(T& place) {
  return std::atomic_ref<T>(place).load(std::memory_order_acquire);
}

// Returns when every program run that began before has ended: this command is a wait for an RCU grace period.
// Kernels with nohz_full processors refuse it; then a time in which any run has long ended must do.
void wait_for_running_programs() {
  if (::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) ::usleep(100'000);
}

}  // namespace

StatusOr<std::unique_ptr<NetSteer>> NetSteer::make(int cgroup_fd) {
  std::unique_ptr<NetSteer> steer(new NetSteer);
  steer->skeleton_ = net_steer__open_and_load();
  if (!steer->skeleton_) return errno_status(errno, "load BPF program net_steer");
  steer->link_ = bpf_program__attach_cgroup(steer->skeleton_->progs.fl_net_steer, cgroup_fd);
  if (!steer->link_) {
    const int error = errno;
    return errno_status(
        error, error == EPERM
                   ? "attach net_steer to the cgroup (an exclusive program of someone else may be there)"
                   : "attach net_steer to the cgroup");
  }
  bpf_prog_info info{};
  __u32 size = sizeof info;
  if (bpf_obj_get_info_by_fd(bpf_program__fd(steer->skeleton_->progs.fl_net_steer), &info, &size) != 0) {
    return errno_status(errno, "read BPF program net_steer");
  }
  steer->program_id_ = info.id;
  return steer;
}

NetSteer::~NetSteer() {
  if (link_) bpf_link__destroy(link_);
  net_steer__destroy(skeleton_);
}

StatusOr<int> NetSteer::add(const PacketMatch& match, const SteerTo& to, MonoTime deadline) {
  std::size_t rules = rules_of(match, 0).size();
  for (const Entry& entry : matches_) rules += rules_of(entry.match, 0).size();
  if (rules > FL_NET_MAX_RULES) {
    return make_error(StatusCode::kResourceExhausted,
                      "{} rules (peers x port ranges) on one target, at most {}", rules, FL_NET_MAX_RULES);
  }
  int index = 0;
  const auto taken = [&](int i) {
    return std::any_of(matches_.begin(), matches_.end(), [&](const Entry& e) { return e.fault == i; });
  };
  while (index < FL_NET_MAX_FAULTS && taken(index)) ++index;
  if (index == FL_NET_MAX_FAULTS) {
    return make_error(StatusCode::kResourceExhausted, "at most {} faults on one target", FL_NET_MAX_FAULTS);
  }
  if (grace_needed_) {  // a packet may still be in the middle of the fault that had this place before
    wait_for_running_programs();
    grace_needed_ = false;
  }
  // The fault before its rules: no rule may ever point at a half-written fault.
  fl_net_fault& fault = skeleton_->bss->faults[index];
  fault = {};
  fault.threshold = dice_threshold(to.probability);
  fault.seed = to.seed;
  fault.priority = to.priority;
  store(fault.deadline_ns, static_cast<__u64>(ktime_ns(deadline)));
  evaluated_before_[static_cast<std::size_t>(index)] = evaluated();
  matches_.push_back({.fault = index, .match = match});
  publish();
  return index;
}

void NetSteer::set_deadline(int fault, MonoTime deadline) {
  store(skeleton_->bss->faults[fault].deadline_ns, static_cast<__u64>(ktime_ns(deadline)));
}

void NetSteer::remove(int fault) {
  store(skeleton_->bss->faults[fault].deadline_ns, __u64{0});
  std::erase_if(matches_, [&](const Entry& e) { return e.fault == fault; });
  publish();
}

void NetSteer::publish() {
  if (grace_needed_)
    wait_for_running_programs();  // someone may still read the table that is about to be filled
  const __u32 next = load(skeleton_->bss->active_table) ^ 1u;
  fl_net_table& table = skeleton_->bss->tables[next];
  table.count = 0;
  for (const Entry& entry : matches_) {
    for (const fl_net_rule& rule : rules_of(entry.match, static_cast<std::uint8_t>(entry.fault))) {
      table.rules[table.count++] = rule;
    }
  }
  store(skeleton_->bss->active_table, next);
  grace_needed_ = true;
}

std::uint64_t NetSteer::evaluated() const {
  std::vector<__u64> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  const __u32 zero = 0;
  if (bpf_map__lookup_elem(skeleton_->maps.evaluated, &zero, sizeof zero, per_cpu.data(),
                           per_cpu.size() * sizeof(__u64), 0) != 0) {
    return 0;
  }
  std::uint64_t sum = 0;
  for (__u64 n : per_cpu) sum += n;
  return sum;
}

SteerCounters NetSteer::counters(int fault) const {
  SteerCounters counters;
  counters.evaluated = evaluated() - evaluated_before_[static_cast<std::size_t>(fault)];
  counters.matched = load(skeleton_->bss->faults[fault].matched);
  counters.injected = load(skeleton_->bss->faults[fault].injected);
  return counters;
}

}  // namespace faultline
