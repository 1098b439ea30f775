// Auto: the steering, and for what arrives all of it. Sticky, inert: a black hole in a band.
#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/traffic_kind.h"

namespace faultline {
namespace {

class PartitionKind : public TrafficKind {
 public:
  using TrafficKind::TrafficKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kPartition; }
  std::string_view name() const override { return "partition"; }
  std::string_view mechanism() const override {
    return "a black hole in a band of prio drops what leaves, BPF what arrives";
  }
  Status supported() override { return traffic().supported(Drop{}); }
  std::vector<std::string> limits() override { return traffic().limits(Drop{}); }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override {
    return spec.partition().traffic();
  }
  v1::Direction usual_direction() const override { return v1::DIRECTION_BOTH; }

  Status check_values(const v1::FaultSpec&) const override { return ok_status(); }

  TrafficAction action(const v1::FaultSpec&) const override { return Drop{}; }

  std::string effect(const v1::FaultSpec&) const override { return "all of them are dropped silently"; }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec&, TrafficFault& fault) const override {
    return {achieved_share("dropped", nullptr, fault.counters())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_partition(NetTraffic& traffic) {
  return std::make_unique<PartitionKind>(traffic);
}

}  // namespace faultline
