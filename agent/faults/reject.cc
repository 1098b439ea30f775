// Auto, all of it.
#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/traffic_kind.h"

namespace faultline {
namespace {

class RejectKind : public TrafficKind {
 public:
  using TrafficKind::TrafficKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kReject; }
  std::string_view name() const override { return "reject"; }
  std::string_view mechanism() const override { return "BPF refuses packets and connects with EPERM"; }
  Status supported() override { return traffic().supported(Refuse{}); }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override {
    return spec.reject().traffic();
  }
  bool egress_only() const override { return true; }

  Status check_values(const v1::FaultSpec&) const override { return ok_status(); }

  TrafficAction action(const v1::FaultSpec&) const override { return Refuse{}; }

  std::string effect(const v1::FaultSpec&) const override {
    return "sending them fails with EPERM, and so does connecting";
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec&, TrafficFault& fault) const override {
    return {achieved_share("rejected", nullptr, fault.counters())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_reject(NetTraffic& traffic) {
  return std::make_unique<RejectKind>(traffic);
}

}  // namespace faultline
