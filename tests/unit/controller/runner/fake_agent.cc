#include "tests/unit/controller/runner/fake_agent.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace faultline::testing {
namespace {

using google::protobuf::util::TimeUtil;

Status gone() {
  return make_error(StatusCode::kUnavailable, "no agent there");
}

std::string name_of(const std::string& id) {
  return id.substr(id.rfind('.') + 1);
}

}  // namespace

google::protobuf::Timestamp FakeAgent::wall() const {
  return TimeUtil::NanosecondsToTimestamp(
      std::chrono::duration_cast<Nanos>(wall_now().time_since_epoch() + clock_skew).count());
}

void FakeAgent::end(Fault& fault, v1::EndReason reason, const std::string& detail) {
  if (fault.status.state() == v1::FAULT_STATE_ENDED) return;
  if (fault.status.state() == v1::FAULT_STATE_ARMED) fault.status.clear_effective_at();
  fault.status.set_state(v1::FAULT_STATE_ENDED);
  fault.status.set_end_reason(reason);
  fault.status.set_end_detail(detail);
  *fault.status.mutable_ended_at() = wall();
  fault.status.set_residue_checked(true);
  for (const std::string& line : residue) fault.status.add_residue(line);
}

void FakeAgent::begin(Fault& fault) {
  fault.status.set_state(v1::FAULT_STATE_ACTIVE);
  fault.status.mutable_counters()->set_evaluated(9);
  fault.status.mutable_counters()->set_matched(7);
  fault.status.mutable_counters()->set_injected(injected);
  most_active_ = std::max<std::size_t>(most_active_, count(v1::FAULT_STATE_ACTIVE));
}

std::size_t FakeAgent::count(v1::FaultState state) const {
  return static_cast<std::size_t>(std::count_if(faults_.begin(), faults_.end(), [&](const auto& entry) {
    return entry.second.status.state() == state;
  }));
}

void FakeAgent::expire() {
  for (auto& [id, fault] : faults_) {
    if (fault.status.state() == v1::FAULT_STATE_ARMED && mono_now() >= fault.start) begin(fault);
    if (mono_now() >= fault.hard_end) end(fault, v1::END_REASON_DURATION, "");
    if (mono_now() >= fault.lease_end) end(fault, v1::END_REASON_LEASE, "");
  }
}

StatusOr<v1::CapabilitiesResponse> FakeAgent::capabilities() {
  if (lost) return gone();
  v1::CapabilitiesResponse response;
  response.set_agent_version("fake");
  response.set_kernel_release("6.12-fake");
  return response;
}

StatusOr<v1::ApplyResponse> FakeAgent::apply(const v1::ApplyRequest& request) {
  if (lost) return gone();
  const std::lock_guard lock(mutex_);
  const std::string name = name_of(request.id());
  v1::ApplyResponse response;
  if (request.dry_run()) {
    response.mutable_plan()->set_resolved_target("fake " + request.target());
    ++dry_runs_;
    if (refuse_dry.contains(name)) return refuse_dry[name];
    return response;
  }
  if (throws.contains(name)) throw std::runtime_error("a bug");
  if (refuse.contains(name)) return refuse[name];
  if (request.has_start_at()) std::this_thread::sleep_for(arming_takes);
  Fault& fault = faults_[request.id()];
  fault.status.set_id(request.id());
  fault.status.set_target(request.target());
  const Nanos ahead(TimeUtil::TimestampToNanoseconds(request.start_at()) -
                    TimeUtil::TimestampToNanoseconds(wall()));
  const bool armed = request.has_start_at() && ahead > Nanos::zero();
  fault.start = mono_now() + (armed ? ahead : Nanos::zero());
  fault.status.set_state(v1::FAULT_STATE_ARMED);
  *fault.status.mutable_effective_at() = armed ? request.start_at() : wall();
  fault.lease_end = mono_now() + Nanos(TimeUtil::DurationToNanoseconds(request.lease()));
  fault.hard_end = fault.start + Nanos(TimeUtil::DurationToNanoseconds(request.duration()));
  if (!armed) begin(fault);
  ++applied_;
  *response.mutable_fault() = fault.status;
  if (lose_answer.contains(name)) return lose_answer[name];
  return response;
}

StatusOr<v1::RenewResponse> FakeAgent::renew(const v1::RenewRequest& request) {
  if (lost) return gone();
  const std::lock_guard lock(mutex_);
  expire();
  v1::RenewResponse response;
  for (const std::string& id : request.ids()) {
    if (!faults_.contains(id)) return make_error(StatusCode::kNotFound, "no fault {}", id);
    faults_[id].lease_end = mono_now() + Nanos(TimeUtil::DurationToNanoseconds(request.lease()));
    *response.add_faults() = faults_[id].status;
  }
  return response;
}

StatusOr<v1::RevertResponse> FakeAgent::revert(const v1::RevertRequest& request) {
  if (lost || revert_hiccups.fetch_sub(1) > 0) return gone();
  const std::lock_guard lock(mutex_);
  expire();
  v1::RevertResponse response;
  for (const std::string& id : request.ids()) {
    if (!faults_.contains(id)) return make_error(StatusCode::kNotFound, "no fault {}", id);
    end(faults_[id], v1::END_REASON_REVERTED, request.reason());
    *response.add_faults() = faults_[id].status;
  }
  return response;
}

StatusOr<v1::ListResponse> FakeAgent::list() {
  const std::lock_guard lock(mutex_);
  expire();
  v1::ListResponse response;
  for (const auto& [id, fault] : faults_) *response.add_faults() = fault.status;
  return response;
}

StatusOr<NodeClock> FakeAgent::clock() {
  if (lost) return gone();
  if (!tells_clock) return make_error(StatusCode::kUnimplemented, "no such call");
  return NodeClock{clock_skew, std::chrono::microseconds(300)};
}

Status FakeAgent::watch(const v1::WatchRequest& request, const std::stop_token& stop,
                        const std::function<void(const v1::WatchResponse&)>& on_update) {
  while (!stop.stop_requested()) {
    if (lost) return gone();
    v1::WatchResponse response;
    {
      const std::lock_guard lock(mutex_);
      expire();
      for (const auto& [id, fault] : faults_) *response.add_faults() = fault.status;
    }
    on_update(response);
    std::this_thread::sleep_for(Nanos(TimeUtil::DurationToNanoseconds(request.interval())));
  }
  return ok_status();
}

void FakeAgent::end_all(v1::EndReason reason, const std::string& detail) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, fault] : faults_) end(fault, reason, detail);
}

std::size_t FakeAgent::active() {
  const std::lock_guard lock(mutex_);
  expire();
  return count(v1::FAULT_STATE_ACTIVE);
}

std::size_t FakeAgent::armed() {
  const std::lock_guard lock(mutex_);
  expire();
  return count(v1::FAULT_STATE_ARMED);
}

}  // namespace faultline::testing
