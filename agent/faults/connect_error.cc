// Auto, all of it.
#include <cerrno>
#include <optional>

#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/traffic_kind.h"

namespace faultline {
namespace {

struct Error {
  std::string_view name;
  int number;
};
constexpr Error kErrors[] = {{"ECONNREFUSED", ECONNREFUSED},
                             {"ETIMEDOUT", ETIMEDOUT},
                             {"EHOSTUNREACH", EHOSTUNREACH},
                             {"ENETUNREACH", ENETUNREACH},
                             {"ECONNRESET", ECONNRESET},
                             {"EADDRNOTAVAIL", EADDRNOTAVAIL},
                             {"EACCES", EACCES}};

std::optional<int> number_of(std::string_view name) {
  for (const Error& error : kErrors) {
    if (error.name == name) return error.number;
  }
  return std::nullopt;
}

class ConnectErrorKind : public TrafficKind {
 public:
  using TrafficKind::TrafficKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kConnectError; }
  std::string_view name() const override { return "connect-error"; }
  std::string_view mechanism() const override { return "cgroup/connect BPF programs"; }
  Status supported() override { return traffic().supported(FailConnect{}); }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override {
    return spec.connect_error().traffic();
  }
  bool egress_only() const override { return true; }

  Status check_values(const v1::FaultSpec& spec) const override {
    if (number_of(spec.connect_error().error())) return ok_status();
    std::string known;
    for (const Error& error : kErrors) known += fmt::format("{}{}", known.empty() ? "" : ", ", error.name);
    return invalid_argument("connect-error: error \"{}\" must be one of {}", spec.connect_error().error(),
                            known);
  }

  TrafficAction action(const v1::FaultSpec& spec) const override {
    return FailConnect{.error = *number_of(spec.connect_error().error())};
  }

  std::string effect(const v1::FaultSpec& spec) const override {
    return fmt::format("connecting fails with {}", spec.connect_error().error());
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec&, TrafficFault& fault) const override {
    return {achieved_share("failed", nullptr, fault.counters())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_connect_error(NetTraffic& traffic) {
  return std::make_unique<ConnectErrorKind>(traffic);
}

}  // namespace faultline
