#include "controller/experiment/active_fault.h"

#include <algorithm>
#include <thread>

#include "controller/experiment/preflight.h"

namespace faultline {
namespace {

// The call may or may not have reached the agent, so the fault may or may not be there.
bool is_transport(const Status& status) {
  switch (status.code()) {
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kCancelled:
    case StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace

ActiveFault::ActiveFault(RunState& state, AgentClient& agent, const RunTiming& timing, const FaultStep& step,
                         const std::string& id, const v1::Plan& plan, std::optional<Nanos> start)
    : state_(state),
      agent_(agent),
      timing_(timing),
      step_(step),
      id_(id),
      reason_(fmt::format("end of step, fault {}", id)),
      start_(start) {
  FaultOutcome outcome;
  outcome.name = step.name;
  outcome.id = id;
  outcome.plan = plan;
  outcome.planned_start = start;
  index_ = state_.add_fault(outcome);

  const RunState::Call call(state_, Phase::kInject);
  injected_at_ = state_.offset();
  in_place_ = true;
  v1::ApplyRequest request = make_apply_request(step, id, timing.lease);
  if (start) *request.mutable_start_at() = state_.node_time(*start);
  const StatusOr<v1::ApplyResponse> answer = agent_.apply(request);
  if (answer.ok()) {
    applied(answer->fault());
    return;
  }
  in_place_ = is_transport(answer.status());
  const std::string error = message_of(answer.status());
  state_.update_fault(index_, [&](FaultOutcome& fault) { fault.error = error; });
  state_.interrupt(Interruption::kInfrastructure,
                   fmt::format("fault {} could not be applied: {}", step.name, error));
}

ActiveFault::~ActiveFault() {
  remove();
}

void ActiveFault::applied(const v1::FaultStatus& status) {
  // The node's clock may be off from what we know of it, but the event lies between the call and now; of an
  // armed fault, between the call and its start.
  const Nanos now = state_.offset();
  const Nanos told = status.has_effective_at() ? state_.offset_of(status.effective_at()) : injected_at_;
  const Nanos effective = std::clamp(told, injected_at_, std::max(now, start_.value_or(now)));
  skew_ = effective - told;
  state_.update_fault(index_, [&](FaultOutcome& fault) {
    fault.status = status;
    fault.applied = {injected_at_, now};
    fault.effective_at = effective;
  });
}

void ActiveFault::hold() {
  const FaultOutcome fault = state_.fault(index_);
  if (!fault.effective_at) return;
  state_.wait_ended(index_, state_.start() + *fault.effective_at + step_.duration);
}

void ActiveFault::remove() {
  if (!in_place_) return;
  in_place_ = false;
  const RunState::Call call(state_, Phase::kRemove);
  const MonoTime give_up = mono_now() + timing_.revert_retry;
  const bool ended_before = state_.fault(index_).status.state() == v1::FAULT_STATE_ENDED;
  v1::RevertRequest request;
  request.add_ids(id_);
  request.set_reason(reason_);
  while (true) {
    const StatusOr<v1::RevertResponse> answer = agent_.revert(request);
    if (answer.ok() && answer->faults_size() == 1 && answer->faults(0).state() == v1::FAULT_STATE_ENDED) {
      return removed(answer->faults(0), ended_before);
    }
    const Status why = answer.ok() ? make_error(StatusCode::kInternal, "the agent does not tell how it ended")
                                   : answer.status();
    if (!is_transport(why) || mono_now() >= give_up) return not_confirmed(why);
    std::this_thread::sleep_for(timing_.retry_pause);  // no interruption may cut this short
  }
}

void ActiveFault::removed(const v1::FaultStatus& status, bool ended_before) {
  // An apply whose answer was lost may have reached the agent all the same.
  if (!state_.fault(index_).effective_at) applied(status);
  state_.update_fault(index_, [&](FaultOutcome& fault) {
    fault.status = status;
    const Nanos now = state_.offset();
    const Nanos first = never_started(fault) ? injected_at_ : std::min(*fault.effective_at, now);
    fault.removed_at = std::clamp(state_.offset_of(status.ended_at()) + skew_, first, now);
    if (never_started(fault)) fault.effective_at = fault.removed_at;
  });

  const std::string detail = status.end_detail().empty() ? "no reason told" : status.end_detail();
  switch (status.end_reason()) {
    case v1::END_REASON_REVERTED: {
      const bool by_us =
          status.end_detail().empty() || status.end_detail().find(reason_) != std::string::npos;
      if (ended_before || !by_us) {
        state_.interrupt(Interruption::kHalt,
                         fmt::format("fault {} was reverted by others: {}", step_.name, detail));
      }
      break;
    }
    case v1::END_REASON_LEASE:
      state_.interrupt(Interruption::kInfrastructure,
                       fmt::format("fault {} ended early: its lease ran out unrenewed", step_.name));
      break;
    case v1::END_REASON_SHUTDOWN:
      state_.interrupt(Interruption::kInfrastructure,
                       fmt::format("fault {} ended early: the agent was shut down", step_.name));
      break;
    default:  // its duration was over, or its target went away: results, not reasons to stop
      break;
  }
}

void ActiveFault::not_confirmed(const Status& why) {
  const bool applied = state_.fault(index_).effective_at.has_value();
  // Never applied as far as anyone knows, and the agent does not know it: nothing is there.
  if (!applied && why.code() == StatusCode::kNotFound) return;
  const std::string cause = message_of(why);
  state_.update_fault(index_, [&](FaultOutcome& fault) {
    if (fault.error.empty()) fault.error = cause;
  });
  state_.interrupt(Interruption::kInfrastructure,
                   fmt::format("the removal of fault {} is not confirmed: {}", step_.name, cause));
}

}  // namespace faultline
