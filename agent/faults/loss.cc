// Auto: the steering, and for what arrives all of it. Sticky, inert: a black hole in a band, so that the
// sender sees success.
#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/selection.h"
#include "agent/faults/traffic_kind.h"

namespace faultline {
namespace {

class LossKind : public TrafficKind {
 public:
  using TrafficKind::TrafficKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kLoss; }
  std::string_view name() const override { return "loss"; }
  std::string_view mechanism() const override {
    return "BPF chooses; a black hole in a band of prio drops what leaves, BPF what arrives";
  }
  Status supported() override { return traffic().supported(Drop{}); }
  std::vector<std::string> limits() override { return traffic().limits(Drop{}); }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override { return spec.loss().traffic(); }
  const v1::Selection* packets(const v1::FaultSpec& spec) const override { return &spec.loss().packets(); }

  Status check_values(const v1::FaultSpec&) const override { return ok_status(); }

  TrafficAction action(const v1::FaultSpec&) const override { return Drop{}; }

  std::string effect(const v1::FaultSpec& spec) const override {
    return fmt::format("{} dropped silently (seed {})", describe(spec.loss().packets()), spec.seed());
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, TrafficFault& fault) const override {
    return {achieved_share("loss", &spec.loss().packets(), fault.counters())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_loss(NetTraffic& traffic) {
  return std::make_unique<LossKind>(traffic);
}

}  // namespace faultline
