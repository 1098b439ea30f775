#include "agent/faults/traffic_kind.h"

#include "agent/faults/net_filter.h"
#include "agent/faults/schedule.h"
#include "agent/faults/selection.h"

namespace faultline {

// Kinds live as long as the agent, so the reference to the kind is good.
class TrafficKind::InForce : public Fault {
 public:
  InForce(const TrafficKind& kind, v1::FaultSpec spec, std::unique_ptr<TrafficFault> fault)
      : kind_(kind), spec_(std::move(spec)), fault_(std::move(fault)) {}

  void set_deadline(MonoTime deadline) override { fault_->set_deadline(deadline); }
  v1::Counters counters() const override {
    const SteerCounters counted = fault_->counters();
    v1::Counters counters;
    counters.set_evaluated(counted.evaluated);
    counters.set_matched(counted.matched);
    counters.set_injected(counted.injected);
    return counters;
  }
  std::vector<v1::Achieved> achieved() const override { return kind_.achieved(spec_, *fault_); }
  Status standing() override { return fault_->standing(); }
  void stop() override { fault_->stop(); }
  Status revert() override { return fault_->revert(); }

 private:
  const TrafficKind& kind_;
  v1::FaultSpec spec_;
  std::unique_ptr<TrafficFault> fault_;
};

StatusOr<TrafficRequest> TrafficKind::to_request(const v1::FaultSpec& spec) const {
  TrafficRequest request;
  FL_ASSIGN_OR_RETURN(request.filter, to_traffic_filter(filter(spec), usual_direction()));
  if (const v1::Selection* which = packets(spec)) request.selection = to_selection(*which);
  request.action = action(spec);
  request.seed = spec.seed();
  request.precedence = spec.priority();
  return request;
}

Status TrafficKind::check(const v1::FaultSpec& spec) const {
  FL_RETURN_IF_ERROR(check_pulse(spec));
  auto traffic = to_traffic_filter(filter(spec), usual_direction());
  if (!traffic.ok()) return annotate(traffic.status(), name());
  if (egress_only() && traffic->ingress) {
    return invalid_argument("{}: only what leaves the target can be meant", name());
  }
  if (egress_only() && !traffic->fixed.local_ports.empty()) {
    return invalid_argument("{}: the target's own port is not known yet when it connects", name());
  }
  if (const v1::Selection* which = packets(spec)) FL_RETURN_IF_ERROR(check_selection(*which, name()));
  return check_values(spec);
}

StatusOr<std::vector<std::string>> TrafficKind::plan(const FaultRequest& request) {
  FL_ASSIGN_OR_RETURN(TrafficRequest traffic, to_request(request.spec));
  FL_ASSIGN_OR_RETURN(std::vector<std::string> lines, traffic_.plan(request.target, traffic));
  lines.push_back(effect(request.spec));
  return lines;
}

StatusOr<std::unique_ptr<Fault>> TrafficKind::apply(const FaultRequest& request) {
  FL_ASSIGN_OR_RETURN(TrafficRequest traffic, to_request(request.spec));
  traffic.schedule = to_schedule(request);
  FL_ASSIGN_OR_RETURN(std::unique_ptr<TrafficFault> fault, traffic_.start(request.target, traffic));
  return std::make_unique<InForce>(*this, request.spec, std::move(fault));
}

}  // namespace faultline
