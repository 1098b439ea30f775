#include "agent/kernel/net_steer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/kernel/bpf_memory.h"
#include "agent/kernel/tcx.h"
#include "common/scope_exit.h"
#include "net_steer.skel.h"

namespace faultline {
namespace {

// Returns when every program run that began before has ended: this command is a wait for an RCU grace period.
// Kernels with nohz_full processors refuse it; then a time in which any run has long ended must do.
void wait_for_running_programs() {
  if (::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) ::usleep(100'000);
}

}  // namespace

StatusOr<std::unique_ptr<NetSteer>> NetSteer::load() {
  std::unique_ptr<NetSteer> steer(new NetSteer);
  steer->skeleton_ = net_steer__open_and_load();
  if (!steer->skeleton_) return errno_status(errno, "load BPF program net_steer");
  return steer;
}

Status NetSteer::aim(int cgroup_fd, std::uint64_t cgroup_id, std::uint32_t level,
                     std::vector<Exemption> exemptions) {
  cgroup_.reset(::fcntl(cgroup_fd, F_DUPFD_CLOEXEC, 0));
  if (!cgroup_.valid()) return errno_status(errno, "dup of a cgroup");
  exemptions_ = std::move(exemptions);
  skeleton_->bss->target = {.cgroup_id = cgroup_id, .cgroup_level = level, .pad = 0};
  return publish();
}

NetSteer::~NetSteer() {
  for (bpf_link* link : links_) bpf_link__destroy(link);
  net_steer__destroy(skeleton_);
}

Status NetSteer::attach(std::uint32_t hooks) {
  const auto& programs = skeleton_->progs;
  const struct {
    std::uint32_t hook;
    bpf_program* program;
    CgroupHook at;
  } attachments[] = {
      {hook_bit(FL_HOOK_EGRESS), programs.fl_egress, CgroupHook::kEgress},
      {hook_bit(FL_HOOK_INGRESS), programs.fl_ingress, CgroupHook::kIngress},
      {hook_bit(FL_HOOK_CONNECT), programs.fl_connect4, CgroupHook::kConnect4},
      {hook_bit(FL_HOOK_CONNECT), programs.fl_connect6, CgroupHook::kConnect6},
  };
  // All that a hook needs, or nothing: a program that is attached twice would count twice.
  const std::size_t before = links_.size();
  bool all = false;
  const ScopeExit undo([&] {
    if (all) return;
    for (std::size_t i = before; i < links_.size(); ++i) bpf_link__destroy(links_[i]);
    links_.resize(before);
    programs_.resize(std::min(programs_.size(), before));
  });
  for (const auto& [hook, program, at] : attachments) {
    if (!(hooks & ~attached_ & hook)) continue;
    bpf_link* link = bpf_program__attach_cgroup(program, cgroup_.get());
    if (!link) {
      const int error = errno;
      return errno_status(
          error, fmt::format("attach {} to the cgroup{}", bpf_program__name(program),
                             error == EPERM ? " (an exclusive program of someone else may be there)" : ""));
    }
    links_.push_back(link);
    bpf_link_info info{};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &size) != 0) {
      return errno_status(errno, "read the link of a BPF program");
    }
    programs_.push_back({.hook = at, .id = info.prog_id});
  }
  attached_ |= hooks;
  all = true;
  return ok_status();
}

StatusOr<int> NetSteer::free_fault() const {
  for (int i = 0; i < FL_NET_MAX_FAULTS; ++i) {
    const bool taken =
        std::any_of(rules_.begin(), rules_.end(), [&](const Entry& e) { return e.fault == i; });
    if (!taken && rules_.size() + exemptions_.size() < FL_NET_MAX_FAULTS) return i;
  }
  return make_error(StatusCode::kResourceExhausted, "at most {} faults on one target",
                    FL_NET_MAX_FAULTS - exemptions_.size());
}

StatusOr<int> NetSteer::add(const SteerRule& rule) {
  std::size_t rules = rules_in(rule.match);
  for (const Entry& entry : rules_) rules += rules_in(entry.rule.match);
  if (rules > FL_NET_MAX_RULES) {
    return make_error(StatusCode::kResourceExhausted,
                      "{} rules (addresses, networks and port ranges) on one target, at most {}", rules,
                      FL_NET_MAX_RULES);
  }
  FL_ASSIGN_OR_RETURN(const int index, free_fault());
  if (stale_) FL_RETURN_IF_ERROR(publish());
  if (grace_needed_) {  // a packet may still be in the middle of the fault that had this place before
    wait_for_running_programs();
    grace_needed_ = false;
  }
  // The fault before its filter: no filter may ever lead to a half-written fault.
  fl_net_fault& fault = skeleton_->bss->faults[index];
  fault = {};
  fault.selection = rule.selection;
  fault.seed = rule.seed;
  fault.share = dice_threshold(rule.share);
  fault.share_of_connections = rule.share_of_connections;
  fault.priority = rule.priority;
  fault.error = static_cast<__u32>(rule.error);
  fault.schedule = rule.schedule;
  fault.schedule.deadline_ns = 0;  // over, until everything is in place
  before_[static_cast<std::size_t>(index)] = {.hooks = rule.hooks, .evaluated = evaluated(rule.hooks)};
  const auto place = std::find_if(rules_.begin(), rules_.end(),
                                  [&](const Entry& e) { return e.rule.precedence < rule.precedence; });
  rules_.insert(place, {.fault = index, .rule = rule});
  Status status = publish();
  // Only now: a table that nobody can have read yet is exchanged without a wait.
  if (status.ok()) status = attach(rule.hooks & ~hook_bit(FL_HOOK_SHAPE));
  if (!status.ok()) {
    remove(index);
    return status;
  }
  bpf_store(fault.schedule.deadline_ns, rule.schedule.deadline_ns);
  return index;
}

Status NetSteer::replace(int fault, const PacketMatch& match) {
  const auto entry =
      std::find_if(rules_.begin(), rules_.end(), [&](const Entry& e) { return e.fault == fault; });
  PacketMatch before = std::exchange(entry->rule.match, match);
  std::size_t rules = 0;
  for (const Entry& e : rules_) rules += rules_in(e.rule.match);
  Status status = rules > FL_NET_MAX_RULES
                      ? make_error(StatusCode::kResourceExhausted, "{} rules on one target, at most {}",
                                   rules, FL_NET_MAX_RULES)
                      : publish();
  if (!status.ok()) entry->rule.match = std::move(before);
  return status;
}

void NetSteer::set_deadline(int fault, MonoTime deadline) {
  bpf_store(skeleton_->bss->faults[fault].schedule.deadline_ns, static_cast<__u64>(ktime_ns(deadline)));
}

void NetSteer::remove(int fault) {
  bpf_store(skeleton_->bss->faults[fault].schedule.deadline_ns, __u64{0});
  std::erase_if(rules_, [&](const Entry& e) { return e.fault == fault; });
  // Of the last one the filter may stay: it leads to a fault that is over, and most often the programs go
  // next.
  stale_ = rules_.empty();
  if (!stale_) (void)publish();  // with fewer filters there is room
}

Status NetSteer::publish() {
  if (grace_needed_)
    wait_for_running_programs();  // someone may still read the table that is about to be filled
  const __u32 next = bpf_load(skeleton_->bss->active_table) ^ 1u;
  fl_net_table& table = skeleton_->bss->tables[next];
  std::vector<const PacketMatch*> matches;
  for (const Exemption& exemption : exemptions_) matches.push_back(&exemption.match);
  for (const Entry& entry : rules_) matches.push_back(&entry.rule.match);
  FL_RETURN_IF_ERROR(build_index(matches, table.index));
  const std::size_t exemptions = exemptions_.size();
  table.exemptions = (1u << exemptions) - 1;
  std::fill(std::begin(table.hooks), std::end(table.hooks), table.exemptions);
  std::fill(std::begin(table.spared), std::end(table.spared), 0);
  std::uint32_t asked = 0;  // hooks that any fault needs
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const std::uint32_t bit = 1u << (exemptions + i);
    table.fault[exemptions + i] = static_cast<__u8>(rules_[i].fault);
    for (std::uint32_t hook = 0; hook < FL_NET_HOOKS; ++hook) {
      if (rules_[i].rule.hooks & (1u << hook)) table.hooks[hook] |= bit;
    }
    asked |= rules_[i].rule.hooks;
    for (std::size_t e = 0; e < exemptions; ++e) {
      if (!(rules_[i].rule.lifted & (1u << e))) table.spared[e] |= bit;
    }
  }
  for (std::uint32_t hook = 0; hook < FL_NET_HOOKS; ++hook) {
    if (!(asked & (1u << hook))) table.hooks[hook] = 0;
  }
  bpf_store(skeleton_->bss->active_table, next);
  stale_ = false;
  grace_needed_ = attached_ != 0 || shape_stub_ || redirects_;  // else nobody can have seen the other table
  return ok_status();
}

std::uint64_t NetSteer::evaluated(std::uint32_t hooks) const {
  std::vector<__u64> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  std::uint64_t sum = 0;
  for (__u32 hook = 0; hook < FL_NET_HOOKS; ++hook) {
    if (!(hooks & (1u << hook))) continue;
    if (bpf_map__lookup_elem(skeleton_->maps.evaluated, &hook, sizeof hook, per_cpu.data(),
                             per_cpu.size() * sizeof(__u64), 0) != 0) {
      continue;
    }
    for (__u64 n : per_cpu) sum += n;
  }
  return sum;
}

SteerCounters NetSteer::counters(int fault) const {
  const Baseline& before = before_[static_cast<std::size_t>(fault)];
  SteerCounters counters;
  counters.evaluated = evaluated(before.hooks) - before.evaluated;
  counters.matched = bpf_load(skeleton_->bss->faults[fault].memory) / FL_SELECTION_ONE;
  counters.injected = bpf_load(skeleton_->bss->faults[fault].injected);
  return counters;
}

StatusOr<int> NetSteer::shape_program() {
  if (!shape_stub_) {
    FL_ASSIGN_OR_RETURN(shape_stub_, FilterStub::make());
    FL_RETURN_IF_ERROR(shape_stub_->point_to(bpf_program__fd(skeleton_->progs.fl_shape)));
  }
  return shape_stub_->program_fd();
}

StatusOr<UniqueFd> NetSteer::attach_redirect(const Netns& netns, int ifindex) {
  redirects_ = true;
  return attach_tcx_egress(netns, ifindex, bpf_program__fd(skeleton_->progs.fl_redirect));
}

Status NetSteer::open_door(const Door& door) {
  for (fl_net_door& free : skeleton_->bss->doors) {
    if (free.ifindex != 0) continue;
    free.nsid = door.nsid;
    free.entry = static_cast<__u32>(door.entry);
    free.exit = static_cast<__u32>(door.exit);
    bpf_store(free.ifindex, static_cast<__u32>(door.ifindex));
    return ok_status();
  }
  return make_error(StatusCode::kResourceExhausted, "at most {} interfaces with ingress faults on one target",
                    FL_NET_MAX_DOORS);
}

void NetSteer::close_door(int ifindex) {
  for (fl_net_door& door : skeleton_->bss->doors) {
    if (door.ifindex == static_cast<__u32>(ifindex)) bpf_store(door.ifindex, __u32{0});
  }
}

}  // namespace faultline
