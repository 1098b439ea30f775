// Auto: the steering. Sticky, inert: a netem band in which every packet is sent twice. Kernels of late 2025
// to 7.1 allow no other netem beside it on a device.
#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/selection.h"
#include "agent/faults/traffic_kind.h"
#include "agent/kernel/netem_support.h"

namespace faultline {
namespace {

class DuplicateKind : public TrafficKind {
 public:
  using TrafficKind::TrafficKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kDuplicate; }
  std::string_view name() const override { return "duplicate"; }
  std::string_view mechanism() const override { return "BPF chooses, netem in a band of prio duplicates"; }
  Status supported() override { return traffic().supported(BandParams(NetemParams{.duplicate = true})); }
  std::vector<std::string> limits() override {
    std::vector<std::string> limits = traffic().limits(BandParams(NetemParams{}));
    if (auto beside = netem_duplicates_beside_others(); !beside.ok()) {
      limits.push_back("in this release perhaps not beside other faults: " + message_of(beside.status()));
    } else if (!*beside) {
      limits.push_back(
          "in this release not beside a fault that delays, reorders, corrupts or duplicates on the same "
          "interface");
    }
    return limits;
  }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override {
    return spec.duplicate().traffic();
  }
  const v1::Selection* packets(const v1::FaultSpec& spec) const override {
    return &spec.duplicate().packets();
  }

  Status check_values(const v1::FaultSpec&) const override { return ok_status(); }

  TrafficAction action(const v1::FaultSpec& spec) const override {
    return BandParams(NetemParams{.duplicate = true, .seed = spec.seed()});
  }

  std::string effect(const v1::FaultSpec& spec) const override {
    return fmt::format("{} sent twice (seed {})", describe(spec.duplicate().packets()), spec.seed());
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, TrafficFault& fault) const override {
    return {achieved_share("duplicated", &spec.duplicate().packets(), fault.counters())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_duplicate(NetTraffic& traffic) {
  return std::make_unique<DuplicateKind>(traffic);
}

}  // namespace faultline
