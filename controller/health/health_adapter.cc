#include "controller/health/health_adapter.h"

#include <utility>

#include "controller/health/http_adapter.h"
#include "controller/health/tcp_adapter.h"

namespace faultline {
namespace {

// A right answer that comes late is a degraded one; other states stay.
class LatencyLimit final : public HealthAdapter {
 public:
  LatencyLimit(std::unique_ptr<HealthAdapter> inner, Nanos limit) : inner_(std::move(inner)), limit_(limit) {}

  HealthReading probe(Nanos timeout) override {
    HealthReading reading = inner_->probe(timeout);
    if (reading.state == HealthState::kHealthy && reading.latency > limit_) {
      reading.state = HealthState::kDegraded;
      reading.detail += " but slow";
    }
    return reading;
  }

  void cancel() override { inner_->cancel(); }

 private:
  std::unique_ptr<HealthAdapter> inner_;
  Nanos limit_;
};

StatusOr<std::unique_ptr<HealthAdapter>> make_check(const Probe& probe) {
  if (const auto* http = std::get_if<HttpCheck>(&probe.check)) return make_http_adapter(*http);
  return make_tcp_adapter(std::get<TcpCheck>(probe.check));
}

}  // namespace

StatusOr<std::unique_ptr<HealthAdapter>> make_adapter(const Probe& probe) {
  FL_ASSIGN_OR_RETURN(std::unique_ptr<HealthAdapter> adapter, make_check(probe));
  if (probe.degraded_above) {
    adapter = std::make_unique<LatencyLimit>(std::move(adapter), *probe.degraded_above);
  }
  return adapter;
}

}  // namespace faultline
