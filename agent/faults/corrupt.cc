// Auto: the steering. Sticky, inert: a netem band in which every packet has one bit turned over.
#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/selection.h"
#include "agent/faults/traffic_kind.h"

namespace faultline {
namespace {

class CorruptKind : public TrafficKind {
 public:
  using TrafficKind::TrafficKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kCorrupt; }
  std::string_view name() const override { return "corrupt"; }
  std::string_view mechanism() const override { return "BPF chooses, netem in a band of prio corrupts"; }
  Status supported() override { return traffic().supported(BandParams(NetemParams{.corrupt = true})); }
  std::vector<std::string> limits() override { return traffic().limits(BandParams(NetemParams{})); }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override {
    return spec.corrupt().traffic();
  }
  const v1::Selection* packets(const v1::FaultSpec& spec) const override { return &spec.corrupt().packets(); }

  Status check_values(const v1::FaultSpec&) const override { return ok_status(); }

  TrafficAction action(const v1::FaultSpec& spec) const override {
    return BandParams(NetemParams{.corrupt = true, .seed = spec.seed()});
  }

  std::string effect(const v1::FaultSpec& spec) const override {
    return fmt::format("{} with one bit turned over (seed {})", describe(spec.corrupt().packets()),
                       spec.seed());
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, TrafficFault& fault) const override {
    return {achieved_share("corrupted", &spec.corrupt().packets(), fault.counters())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_corrupt(NetTraffic& traffic) {
  return std::make_unique<CorruptKind>(traffic);
}

}  // namespace faultline
