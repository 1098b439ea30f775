#include "controller/health/tcp_adapter.h"

#include <utility>

#include "controller/health/transfer.h"

namespace faultline {
namespace {

class TcpAdapter final : public HealthAdapter {
 public:
  explicit TcpAdapter(std::unique_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}

  HealthReading probe(Nanos timeout) override {
    const TransferResult result = transfer_->perform(timeout);
    if (result.cancelled) return {HealthState::kUnknown, result.elapsed, "cancelled"};
    if (result.code == CURLE_OK) return {HealthState::kHealthy, result.elapsed, "connected"};
    TransferFailure failure = explain(result);
    return {failure.own_fault ? HealthState::kUnknown : HealthState::kUnhealthy, result.elapsed,
            std::move(failure.detail)};
  }

  void cancel() override { transfer_->cancel(); }

 private:
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace

StatusOr<std::unique_ptr<HealthAdapter>> make_tcp_adapter(const TcpCheck& check) {
  // libcurl resolves in a thread of its own, so even a hanging name server cannot hold a probe beyond its
  // time.
  const bool ipv6 = check.host.find(':') != std::string::npos;
  const std::string url = fmt::format("http://{}:{}", ipv6 ? "[" + check.host + "]" : check.host, check.port);
  FL_ASSIGN_OR_RETURN(std::unique_ptr<Transfer> transfer, Transfer::make(url, /*connect_only=*/true));
  return std::make_unique<TcpAdapter>(std::move(transfer));
}

}  // namespace faultline
