#include "controller/experiment/run_state.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

namespace faultline {

using google::protobuf::util::TimeUtil;

RunState::RunState(const Experiment& experiment, RunRecord begun, MonoTime start, RunObserver& observer)
    : experiment_(experiment),
      start_(start),
      node_started_(std::chrono::duration_cast<Nanos>(begun.started.time_since_epoch()) +
                    begun.node_clock.value_or(NodeClock{}).offset),
      observer_(observer),
      record_(std::move(begun)),
      baseline_(experiment),
      stop_(experiment) {}

google::protobuf::Timestamp RunState::node_time(Nanos offset) const {
  return TimeUtil::NanosecondsToTimestamp((node_started_ + offset).count());
}

Nanos RunState::offset_of(const google::protobuf::Timestamp& node_time) const {
  return Nanos(TimeUtil::TimestampToNanoseconds(node_time)) - node_started_;
}

void RunState::enter(Phase stage) {
  const std::lock_guard lock(mutex_);
  stage_ = stage;
  refresh_phase();
}

void RunState::begin_method() {
  const std::lock_guard lock(mutex_);
  stage_ = Phase::kObserve;
}

Phase RunState::phase() const {
  const std::lock_guard lock(mutex_);
  return record_.phases.back().phase;
}

void RunState::count_call(Phase phase, int change) {
  const std::lock_guard lock(mutex_);
  (phase == Phase::kInject ? applies_ : reverts_) += change;
  refresh_phase();
}

bool RunState::any_active() const {
  return std::any_of(record_.faults.begin(), record_.faults.end(), [](const FaultOutcome& fault) {
    return fault.status.state() == v1::FAULT_STATE_ACTIVE;
  });
}

void RunState::refresh_phase() {
  const Phase phase = applies_ > 0 ? Phase::kInject : reverts_ > 0 ? Phase::kRemove : stage_;
  // Between the end of one step and the begin of the next there is nothing to observe: the phase stays.
  if (phase == Phase::kObserve && waits_ == 0 && !any_active()) return;
  std::vector<PhaseSpan>& spans = record_.phases;
  if (!spans.empty() && spans.back().phase == phase) return;
  const Nanos now = offset();
  if (!spans.empty()) spans.back().end_at = now;
  spans.push_back({phase, now, now});
  observer_.on_phase(phase, now);
}

void RunState::add_sample(const Sample& sample) {
  const std::lock_guard lock(mutex_);
  record_.samples.push_back(sample);
  observer_.on_sample(sample);
  baseline_.feed(sample);
  if (recovery_) recovery_->feed(sample);
  if (const std::optional<std::string> reason = stop_.feed(sample)) {
    interrupt_locked(Interruption::kStopCondition, *reason);
  }
  changed_.notify_all();
}

void RunState::interrupt(Interruption cause, const std::string& detail) {
  const std::lock_guard lock(mutex_);
  interrupt_locked(cause, detail);
}

void RunState::interrupt_locked(Interruption cause, const std::string& detail) {
  if (cause != Interruption::kStopCondition) hurried_ = true;
  changed_.notify_all();
  if (record_.interruption != Interruption::kNone) return;
  record_.interruption = cause;
  record_.interruption_detail = detail;
  observer_.on_interruption(cause, detail);
}

bool RunState::interrupted() const {
  const std::lock_guard lock(mutex_);
  return record_.interruption != Interruption::kNone;
}

bool RunState::hurried() const {
  const std::lock_guard lock(mutex_);
  return hurried_;
}

void RunState::wait(MonoTime deadline) {
  std::unique_lock lock(mutex_);
  ++waits_;
  refresh_phase();
  changed_.wait_until(lock, deadline, [this] { return record_.interruption != Interruption::kNone; });
  --waits_;
}

void RunState::wait_start(MonoTime start) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, start, [this] { return record_.interruption != Interruption::kNone; });
}

void RunState::wait_steady(MonoTime deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline,
                      [this] { return baseline_.steady() || record_.interruption != Interruption::kNone; });
}

void RunState::wait_ended(std::size_t fault, MonoTime deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this, fault] {
    return record_.faults[fault].status.state() == v1::FAULT_STATE_ENDED ||
           record_.interruption != Interruption::kNone;
  });
}

void RunState::wait_recovered() {
  std::unique_lock lock(mutex_);
  recovery_.emplace(experiment_, last_removal());
  for (const Sample& sample : record_.samples) recovery_->feed(sample);
  changed_.wait_until(lock, start_ + recovery_->give_up_at(),
                      [this] { return recovery_->recovered() || hurried_; });
}

std::string RunState::why_not_steady() const {
  const std::lock_guard lock(mutex_);
  return baseline_.why_not();
}

std::size_t RunState::add_fault(FaultOutcome fault) {
  const std::lock_guard lock(mutex_);
  record_.faults.push_back(std::move(fault));
  return record_.faults.size() - 1;
}

void RunState::update_fault(std::size_t index, const std::function<void(FaultOutcome&)>& change) {
  const std::lock_guard lock(mutex_);
  change(record_.faults[index]);
  observer_.on_fault(record_.faults[index]);
  changed_.notify_all();
}

void RunState::fault_told(const v1::FaultStatus& status) {
  const std::lock_guard lock(mutex_);
  for (FaultOutcome& fault : record_.faults) {
    if (fault.id != status.id() || !in_place(fault)) continue;
    // Old news that overtook newer.
    if (status.state() == v1::FAULT_STATE_ARMED && fault.status.state() == v1::FAULT_STATE_ACTIVE) continue;
    fault.status = status;
    refresh_phase();
    observer_.on_fault(fault);
    changed_.notify_all();
  }
}

FaultOutcome RunState::fault(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return record_.faults[index];
}

std::vector<std::string> RunState::ids_in_place() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const FaultOutcome& fault : record_.faults) {
    if (in_place(fault)) ids.push_back(fault.id);
  }
  return ids;
}

bool RunState::any_effective() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(record_.faults.begin(), record_.faults.end(),
                     [](const FaultOutcome& fault) { return fault.effective_at.has_value(); });
}

Nanos RunState::last_removal() const {
  Nanos last{};
  for (const FaultOutcome& fault : record_.faults) last = std::max(last, fault.removed_at.value_or(offset()));
  return last;
}

RunRecord RunState::finish(std::size_t samples_missed) {
  const std::lock_guard lock(mutex_);
  record_.duration = offset();
  if (!record_.phases.empty()) record_.phases.back().end_at = record_.duration;
  record_.samples_missed = samples_missed;
  const std::vector<const FaultStep*> steps = fault_steps(experiment_.method);
  const auto place = [&](const FaultOutcome& fault) {
    return std::find_if(steps.begin(), steps.end(), [&](const auto* step) { return step->name == fault.name; });
  };
  std::stable_sort(record_.faults.begin(), record_.faults.end(),
                   [&](const FaultOutcome& a, const FaultOutcome& b) { return place(a) < place(b); });
  return std::move(record_);
}

}  // namespace faultline
