#include "agent/engine/engine.h"

#include <fcntl.h>
#include <google/protobuf/util/time_util.h>
#include <sys/utsname.h>

#include <algorithm>

#include "agent/engine/entry.h"
#include "agent/engine/request.h"
#include "common/log.h"
#include "common/scope_exit.h"
#include "common/version.h"

namespace faultline {
namespace {

using google::protobuf::util::TimeUtil;

bool cgroup_is_gone(const Target& target) {
  const UniqueFd procs(::openat(target.cgroup_fd.get(), "cgroup.procs", O_RDONLY | O_CLOEXEC));
  return !procs.valid() && (errno == ENOENT || errno == ENODEV);
}

}  // namespace

Engine::Engine(const TargetResolver& targets, std::vector<std::unique_ptr<FaultKind>>& kinds,
               EngineOptions options)
    : targets_(targets), kinds_(kinds), options_(options) {}

Engine::~Engine() {
  end_all(v1::END_REASON_SHUTDOWN, "the agent stopped");
}

v1::CapabilitiesResponse Engine::capabilities() {
  v1::CapabilitiesResponse response;
  utsname names{};
  ::uname(&names);
  response.set_agent_version(kVersion);
  response.set_kernel_release(names.release);
  response.set_cgroup_root(targets_.cgroup_root());
  *response.mutable_max_duration() = TimeUtil::NanosecondsToDuration(options_.max_duration.count());
  *response.mutable_max_lease() = TimeUtil::NanosecondsToDuration(options_.max_lease.count());
  for (const auto& kind : kinds_) {
    const Status supported = kind->supported();
    auto* row = response.add_kinds();
    row->set_kind(std::string(kind->name()));
    row->set_mechanism(std::string(kind->mechanism()));
    row->set_supported(supported.ok());
    row->set_reason(message_of(supported));
    if (!supported.ok()) continue;
    for (std::string& limit : kind->limits()) row->add_limits(std::move(limit));
  }
  return response;
}

StatusOr<FaultKind*> Engine::kind_of(const v1::FaultSpec& spec) const {
  for (const auto& kind : kinds_) {
    if (kind->which() == spec.kind_case()) return kind.get();
  }
  return invalid_argument("the request names no kind of fault that this agent knows");
}

Engine::EntryPtr Engine::find(const std::string& id) const {
  // The newest of that name: an id may come back once its fault has ended.
  const auto found =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const auto& e) { return e->status.id() == id; });
  return found == entries_.rend() ? nullptr : *found;
}

StatusOr<v1::ApplyResponse> Engine::apply(const v1::ApplyRequest& request) {
  FL_RETURN_IF_ERROR(check_apply(request, options_));
  FL_ASSIGN_OR_RETURN(FaultKind* const kind, kind_of(request.spec()));
  FL_RETURN_IF_ERROR(kind->check(request.spec()));
  FL_RETURN_IF_ERROR(kind->supported());
  FL_ASSIGN_OR_RETURN(const MonoTime start, start_of(request, wall_now(), mono_now()));
  FL_ASSIGN_OR_RETURN(Target target, targets_.resolve(request.target()));

  v1::ApplyResponse response;
  if (request.dry_run()) {
    const FaultRequest asked{
        .spec = request.spec(), .target = target, .start = start, .deadline = start + duration_of(request)};
    FL_ASSIGN_OR_RETURN(const auto steps, kind->plan(asked));
    v1::Plan& plan = *response.mutable_plan();
    plan.set_kind(std::string(kind->name()));
    plan.set_mechanism(std::string(kind->mechanism()));
    plan.set_resolved_target(target.describe());
    for (const std::string& step : steps) plan.add_steps(step);
    return response;
  }
  FL_ASSIGN_OR_RETURN(*response.mutable_fault(), put_in_force(request, *kind, std::move(target), start));
  return response;
}

StatusOr<v1::FaultStatus> Engine::put_in_force(const v1::ApplyRequest& request, FaultKind& kind,
                                               Target target, MonoTime start) {
  const std::lock_guard one_at_a_time(apply_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (const EntryPtr taken = find(request.id()); taken && !taken->finished) {
      return make_error(StatusCode::kAlreadyExists, "a fault \"{}\" is already in force", request.id());
    }
    applying_ = request.id();
  }
  const ScopeExit applied([this] {
    const std::lock_guard lock(mutex_);
    applying_.clear();
    changed_.notify_all();
  });
  auto entry = std::make_shared<Entry>();
  entry->kind = &kind;
  FL_ASSIGN_OR_RETURN(entry->before, kind.snapshot(target));
  const MonoTime now = mono_now();
  const bool armed = request.has_start_at() && start > now;
  const Nanos lease = lease_of(request, options_);
  entry->start = armed ? start : now;
  entry->hard_end = entry->start + duration_of(request);
  entry->deadline = request.has_lease() ? std::min(entry->hard_end, now + lease) : entry->hard_end;
  FL_ASSIGN_OR_RETURN(
      entry->fault,
      kind.apply(
          {.spec = request.spec(), .target = target, .start = entry->start, .deadline = entry->deadline}));
  // Counted from now, when it is in force: a busy node may have needed a good part of the lease to get there.
  const Nanos needed = std::chrono::duration_cast<Nanos>(mono_now() - now);
  if (!armed) entry->hard_end += needed;
  entry->deadline = std::min(entry->hard_end, entry->deadline + needed);
  entry->fault->set_deadline(entry->deadline);
  v1::FaultStatus& status = entry->status;
  const bool waits = armed && start > mono_now();
  *status.mutable_effective_at() = waits ? request.start_at() : to_timestamp(wall_now());
  status.set_id(request.id());
  status.set_kind(std::string(kind.name()));
  status.set_target(request.target());
  status.set_resolved_target(target.describe());
  status.set_mechanism(std::string(kind.mechanism()));
  entry->target = std::move(target);
  spdlog::info("event=applied fault={} kind={} target={} cgroup={} armed={}", request.id(), kind.name(),
               request.target(), entry->target.cgroup, waits);

  const std::lock_guard lock(mutex_);
  entries_.push_back(entry);
  auto ended = static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const EntryPtr& e) { return e->finished; }));
  for (auto it = entries_.begin(); ended > options_.remembered;) {
    ended -= (*it)->finished;
    it = (*it)->finished ? entries_.erase(it) : it + 1;
  }
  return entry->now();
}

StatusOr<v1::RenewResponse> Engine::renew(const v1::RenewRequest& request) {
  FL_ASSIGN_OR_RETURN(const Nanos lease, checked_lease(request.lease(), options_));
  const std::lock_guard lock(mutex_);
  std::vector<EntryPtr> wanted;
  for (const std::string& id : request.ids()) {
    wanted.push_back(find(id));
    if (!wanted.back()) return make_error(StatusCode::kNotFound, "no fault \"{}\"", id);
  }
  v1::RenewResponse response;
  for (const EntryPtr& entry : wanted) {
    // Past its deadline the kernel has let go of it; it may not come back.
    if (!entry->claimed && mono_now() < entry->deadline) {
      entry->deadline = std::min(entry->hard_end, mono_now() + lease);
      entry->fault->set_deadline(entry->deadline);
    }
    *response.add_faults() = entry->now();
  }
  return response;
}

// Takes the right to end these faults; each fault is ended by exactly one thread.
std::vector<Engine::EntryPtr> Engine::claim(const std::vector<EntryPtr>& candidates, v1::EndReason reason,
                                            const std::string& detail) {
  const std::lock_guard lock(mutex_);
  std::vector<EntryPtr> claimed;
  for (const EntryPtr& entry : candidates) {
    if (entry->claimed) continue;
    const bool lease_over = reason == v1::END_REASON_DURATION && entry->deadline < entry->hard_end;
    entry->status = entry->now();
    entry->claimed = true;
    entry->status.clear_remaining();
    entry->status.clear_deadline();
    entry->status.set_end_reason(lease_over ? v1::END_REASON_LEASE : reason);
    entry->status.set_end_detail(detail);
    claimed.push_back(entry);
  }
  return claimed;
}

void Engine::finish(const std::vector<EntryPtr>& claimed) {
  for (const EntryPtr& entry : claimed) entry->stop();
  for (const EntryPtr& entry : claimed) {
    v1::FaultStatus last;  // counters after the stop are final
    last.mutable_counters()->CopyFrom(entry->fault->counters());
    for (auto& measure : entry->fault->achieved()) *last.add_achieved() = std::move(measure);
    const Proof proof = entry->take_away();

    const std::lock_guard lock(mutex_);
    v1::FaultStatus& status = entry->status;
    status.mutable_counters()->Swap(last.mutable_counters());
    status.mutable_achieved()->Swap(last.mutable_achieved());
    status.set_state(v1::FAULT_STATE_ENDED);
    *status.mutable_ended_at() = to_timestamp(entry->ended_at);
    if (entry->never_was) status.clear_effective_at();
    entry->note(proof, options_);
    entry->finished = true;
    changed_.notify_all();
    spdlog::info("event=ended fault={} reason={} injected={} residue={}", status.id(),
                 v1::EndReason_Name(status.end_reason()), status.counters().injected(),
                 status.residue_size());
  }
}

void Engine::retry() {
  std::vector<EntryPtr> due;
  {
    const std::lock_guard lock(mutex_);
    for (const EntryPtr& entry : entries_) {
      if (!entry->next_try || mono_now() < *entry->next_try) continue;
      entry->next_try.reset();  // nobody else's now
      due.push_back(entry);
    }
  }
  for (const EntryPtr& entry : due) {
    const Proof proof = entry->take_away();
    const std::lock_guard lock(mutex_);
    entry->note(proof, options_);
    spdlog::info("event=removal_tried_again fault={} residue={}", entry->status.id(),
                 entry->status.residue_size());
  }
}

StatusOr<v1::RevertResponse> Engine::revert(const v1::RevertRequest& request) {
  if (request.all() != request.ids().empty()) {
    return invalid_argument("revert: give either ids or all, and not both");
  }
  std::vector<EntryPtr> wanted;
  {
    std::unique_lock lock(mutex_);
    // A fault that is just being applied is waited for: its caller may have given up and want it gone.
    changed_.wait(lock, [&] {
      const auto& ids = request.ids();
      return applying_.empty() ||
             (!request.all() && std::find(ids.begin(), ids.end(), applying_) == ids.end());
    });
    for (const std::string& id : request.ids()) {
      const EntryPtr entry = find(id);
      if (!entry) return make_error(StatusCode::kNotFound, "no fault \"{}\"", id);
      wanted.push_back(entry);
    }
    for (const EntryPtr& entry : entries_) {
      if (request.all() && !entry->finished) wanted.push_back(entry);
    }
  }
  finish(claim(wanted, v1::END_REASON_REVERTED, request.reason()));

  v1::RevertResponse response;
  for (const EntryPtr& entry : wanted) {
    // Another thread may be ending it; the answer is its final status.
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entry->finished; });
    *response.add_faults() = entry->status;
  }
  return response;
}

std::vector<v1::FaultStatus> Engine::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<v1::FaultStatus> active;
  std::vector<v1::FaultStatus> ended;
  for (const EntryPtr& entry : entries_) (entry->finished ? ended : active).push_back(entry->now());
  active.insert(active.end(), ended.begin(), ended.end());
  return active;
}

void Engine::tick() {
  std::vector<EntryPtr> over;
  std::vector<EntryPtr> gone;
  std::vector<std::pair<EntryPtr, std::string>> fallen;
  {
    const std::lock_guard lock(mutex_);
    const MonoTime now = mono_now();
    const bool look = now - looked_ >= options_.look_every;
    if (look) looked_ = now;
    for (const EntryPtr& entry : entries_) {
      if (entry->claimed) continue;
      if (now >= entry->deadline) {
        over.push_back(entry);
      } else if (cgroup_is_gone(entry->target)) {
        gone.push_back(entry);
      } else if (const Status standing = look ? entry->fault->standing() : ok_status(); !standing.ok()) {
        fallen.emplace_back(entry, message_of(standing));
      }
    }
  }
  finish(claim(over, v1::END_REASON_DURATION, ""));
  finish(claim(gone, v1::END_REASON_TARGET_GONE, "the target's cgroup has vanished"));
  for (const auto& [entry, why] : fallen) finish(claim({entry}, v1::END_REASON_TARGET_GONE, why));
  retry();
}

void Engine::end_all(v1::EndReason reason, const std::string& detail) {
  std::vector<EntryPtr> all;
  {
    const std::lock_guard lock(mutex_);
    all.assign(entries_.begin(), entries_.end());
  }
  finish(claim(all, reason, detail));
}

}  // namespace faultline
