// Auto: the steering. Sticky, inert: a netem band that holds its packets back while later ones overtake them.
#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/proto_time.h"
#include "agent/faults/selection.h"
#include "agent/faults/traffic_kind.h"

namespace faultline {
namespace {

constexpr TimeRange kHold{.least = Nanos(1), .most = std::chrono::minutes(1)};

class ReorderKind : public TrafficKind {
 public:
  using TrafficKind::TrafficKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kReorder; }
  std::string_view name() const override { return "reorder"; }
  std::string_view mechanism() const override { return "BPF chooses, netem in a band of prio holds back"; }
  Status supported() override { return traffic().supported(BandParams(NetemParams{})); }
  std::vector<std::string> limits() override { return traffic().limits(BandParams(NetemParams{})); }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override {
    return spec.reorder().traffic();
  }
  const v1::Selection* packets(const v1::FaultSpec& spec) const override { return &spec.reorder().packets(); }

  Status check_values(const v1::FaultSpec& spec) const override {
    return check_time(spec.reorder().hold(), "reorder: hold", kHold);
  }

  TrafficAction action(const v1::FaultSpec& spec) const override {
    return BandParams(NetemParams{.latency = to_nanos(spec.reorder().hold()), .seed = spec.seed()});
  }

  std::string effect(const v1::FaultSpec& spec) const override {
    return fmt::format("{} held back for {} (seed {})", describe(spec.reorder().packets()),
                       time_text(to_nanos(spec.reorder().hold())), spec.seed());
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, TrafficFault& fault) const override {
    return {achieved_time("hold", {.latency = to_nanos(spec.reorder().hold())}, fault.sojourn()),
            achieved_share("held back", &spec.reorder().packets(), fault.counters())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_reorder(NetTraffic& traffic) {
  return std::make_unique<ReorderKind>(traffic);
}

}  // namespace faultline
