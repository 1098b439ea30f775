#include "controller/experiment/preflight.h"

#include <google/protobuf/util/time_util.h>

#include "controller/experiment/run_id.h"

namespace faultline {
namespace {

using google::protobuf::util::TimeUtil;

Status at_place(const Status& status, const Experiment& experiment, const FaultStep& step) {
  SourcePos pos = step.pos;
  switch (status.code()) {
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied:
      pos = step.target_pos;
      break;
    case StatusCode::kInvalidArgument:
    case StatusCode::kUnimplemented:
    case StatusCode::kFailedPrecondition:
      break;
    default:
      return annotate(status, fmt::format("dry run of fault {}", step.name));
  }
  return annotate(status,
                  fmt::format("{}:{}:{}: fault {}", experiment.file, pos.line, pos.column, step.name));
}

}  // namespace

v1::ApplyRequest make_apply_request(const FaultStep& step, const std::string& fault_id, Nanos lease) {
  v1::ApplyRequest request;
  request.set_id(fault_id);
  request.set_target(step.target);
  *request.mutable_spec() = step.spec;
  *request.mutable_duration() = TimeUtil::NanosecondsToDuration(step.duration.count());
  *request.mutable_lease() = TimeUtil::NanosecondsToDuration(lease.count());
  return request;
}

StatusOr<Preflight> preflight(const Experiment& experiment, const std::string& run_id, AgentClient& agent) {
  Preflight result;
  FL_ASSIGN_OR_RETURN(result.node, agent.capabilities());
  const StatusOr<NodeClock> clock = agent.clock();
  if (clock.ok()) {
    result.clock = *clock;
  } else if (clock.status().code() != StatusCode::kUnimplemented) {
    return annotate(clock.status(), "ask for the node's time");
  }
  const std::vector<const FaultStep*> together = together_steps(experiment.method);
  if (!together.empty() && !result.clock) {
    return at_place(make_error(StatusCode::kUnimplemented,
                               "to start together with others needs an agent that "
                               "tells its time; this one does not"),
                    experiment, *together.front());
  }
  const std::vector<const FaultStep*> steps = fault_steps(experiment.method);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    v1::ApplyRequest request =
        make_apply_request(*steps[i], make_fault_id(run_id, i, steps[i]->name), steps[i]->duration);
    request.clear_lease();  // not asked about here: the run takes what the agent allows
    request.set_dry_run(true);
    const StatusOr<v1::ApplyResponse> answer = agent.apply(request);
    if (!answer.ok()) return at_place(answer.status(), experiment, *steps[i]);
    result.plans.push_back(answer->plan());
  }
  return result;
}

}  // namespace faultline
