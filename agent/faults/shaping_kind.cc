#include "agent/faults/shaping_kind.h"

#include "agent/faults/net_filter.h"

namespace faultline {

// Kinds live as long as the agent, so the reference to the kind is good.
class ShapingKind::InForce : public Fault {
 public:
  InForce(const ShapingKind& kind, v1::FaultSpec spec, std::unique_ptr<ShapedTraffic> traffic)
      : kind_(kind), spec_(std::move(spec)), traffic_(std::move(traffic)) {}

  void set_deadline(MonoTime deadline) override { traffic_->set_deadline(deadline); }
  v1::Counters counters() const override {
    const SteerCounters counted = traffic_->counters();
    v1::Counters counters;
    counters.set_evaluated(counted.evaluated);
    counters.set_matched(counted.matched);
    // Steered is not yet faulted: the packet may have left by a device without a band, or the band may be
    // gone.
    counters.set_injected(std::min(counted.injected, traffic_->shaped()));
    return counters;
  }
  std::vector<v1::Achieved> achieved() const override { return kind_.achieved(spec_, *traffic_); }
  void stop() override { traffic_->stop(); }
  Status revert() override { return traffic_->revert(); }

 private:
  const ShapingKind& kind_;
  v1::FaultSpec spec_;
  std::unique_ptr<ShapedTraffic> traffic_;
};

Status ShapingKind::check(const v1::FaultSpec& spec) const {
  FL_ASSIGN_OR_RETURN(const PacketMatch match, to_packet_match(filter(spec)));
  if (const std::size_t rules = rules_of(match, 0).size(); rules > FL_NET_MAX_RULES) {
    return invalid_argument("{} rules (peers x port ranges), at most {}", rules, FL_NET_MAX_RULES);
  }
  return check_values(spec);
}

StatusOr<std::vector<std::string>> ShapingKind::plan(const FaultRequest& request) {
  FL_ASSIGN_OR_RETURN(const PacketMatch match, to_packet_match(filter(request.spec)));
  FL_ASSIGN_OR_RETURN(std::vector<std::string> lines, shaper_.plan(request.target, match));
  lines.push_back(effect(request.spec));
  return lines;
}

StatusOr<std::unique_ptr<Fault>> ShapingKind::apply(const FaultRequest& request) {
  ShapeRequest shape = shaping(request.spec);
  FL_ASSIGN_OR_RETURN(shape.match, to_packet_match(filter(request.spec)));
  shape.deadline = request.deadline;
  FL_ASSIGN_OR_RETURN(std::unique_ptr<ShapedTraffic> traffic, shaper_.shape(request.target, shape));
  return std::make_unique<InForce>(*this, request.spec, std::move(traffic));
}

}  // namespace faultline
