#include "controller/health/http_adapter.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "controller/health/transfer.h"

namespace faultline {
namespace {

constexpr std::size_t kMaxDetailBytes = 60;

bool contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string shortened(std::string text) {
  if (text.size() > kMaxDetailBytes) text = text.substr(0, kMaxDetailBytes) + "...";
  return text;
}

// The text that an experiment file's list is compared with: ok, true, 3.
std::string text_of(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

HttpVerdict judge_json(const JsonExpectation& expect, long status, const std::string& body) {
  const nlohmann::json document = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return {HealthState::kUnknown, fmt::format("{}, body is not JSON", status)};
  std::string text;
  try {  // the library has no pointer access that does not throw
    text = text_of(document.at(nlohmann::json::json_pointer(expect.pointer)));
  } catch (const nlohmann::json::exception&) {
    return {HealthState::kUnknown, fmt::format("{}, no value at {}", status, expect.pointer)};
  }
  const std::string detail = fmt::format("{}, {} is {}", status, expect.pointer, shortened(text));
  if (contains(expect.healthy, text)) return {HealthState::kHealthy, detail};
  if (contains(expect.degraded, text)) return {HealthState::kDegraded, detail};
  return {HealthState::kUnhealthy, detail};
}

class HttpAdapter final : public HealthAdapter {
 public:
  HttpAdapter(HttpCheck check, std::unique_ptr<Transfer> transfer)
      : check_(std::move(check)), transfer_(std::move(transfer)) {}

  HealthReading probe(Nanos timeout) override {
    const TransferResult result = transfer_->perform(timeout);
    if (result.cancelled) return {HealthState::kUnknown, result.elapsed, "cancelled"};
    if (result.code == CURLE_OK || result.body_cut) {
      HttpVerdict verdict = judge_answer(check_, result.http_status, result.body, result.body_cut);
      return {verdict.state, result.elapsed, std::move(verdict.detail)};
    }
    TransferFailure failure = explain(result);
    return {failure.own_fault ? HealthState::kUnknown : HealthState::kUnhealthy, result.elapsed,
            std::move(failure.detail)};
  }

  void cancel() override { transfer_->cancel(); }

 private:
  HttpCheck check_;
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace

HttpVerdict judge_answer(const HttpCheck& check, long status, const std::string& body, bool body_cut) {
  if (std::find(check.status.begin(), check.status.end(), status) == check.status.end()) {
    return {HealthState::kUnhealthy, std::to_string(status)};
  }
  if (!check.json) return {HealthState::kHealthy, std::to_string(status)};
  if (body_cut) return {HealthState::kUnknown, fmt::format("{}, body is longer than 1 MiB", status)};
  return judge_json(*check.json, status, body);
}

StatusOr<std::unique_ptr<HealthAdapter>> make_http_adapter(const HttpCheck& check) {
  FL_ASSIGN_OR_RETURN(std::unique_ptr<Transfer> transfer, Transfer::make(check.url, /*connect_only=*/false));
  return std::make_unique<HttpAdapter>(check, std::move(transfer));
}

}  // namespace faultline
