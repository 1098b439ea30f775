#include "agent/engine/request.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string_view>

namespace faultline {
namespace {

constexpr std::size_t kMaxId = 64;
constexpr std::chrono::seconds kMaxLate(1);
constexpr std::chrono::seconds kMaxAhead(600);

Nanos to_nanos(const google::protobuf::Duration& d) {
  return Nanos(google::protobuf::util::TimeUtil::DurationToNanoseconds(d));
}

double to_seconds(Nanos t) {
  return std::chrono::duration<double>(t).count();
}

bool is_id(const std::string& id) {
  constexpr std::string_view kPunctuation = "._-";
  return !id.empty() && id.size() <= kMaxId && std::all_of(id.begin(), id.end(), [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || kPunctuation.find(c) != std::string_view::npos;
  });
}

Status check_span(std::string_view field, const google::protobuf::Duration& value, Nanos maximum) {
  // Seconds first: what does not fit into nanoseconds must not wrap around.
  if (value.seconds() < 0 || value.seconds() > 1'000'000 || value.nanos() < 0 ||
      to_nanos(value) <= Nanos::zero()) {
    return invalid_argument("{} must be above zero and at most {} s", field, to_seconds(maximum));
  }
  if (to_nanos(value) > maximum) {
    return invalid_argument("{} is {} s; this agent allows at most {} s", field, to_seconds(to_nanos(value)),
                            to_seconds(maximum));
  }
  return ok_status();
}

}  // namespace

Status check_apply(const v1::ApplyRequest& request, const EngineOptions& options) {
  if (!is_id(request.id())) {
    return invalid_argument("id \"{}\": expected 1 to {} letters, digits, \".\", \"_\" or \"-\"",
                            request.id(), kMaxId);
  }
  if (!request.has_duration()) return invalid_argument("duration is missing: every fault expires");
  FL_RETURN_IF_ERROR(check_span("duration", request.duration(), options.max_duration));
  return request.has_lease() ? checked_lease(request.lease(), options).status() : ok_status();
}

StatusOr<MonoTime> start_of(const v1::ApplyRequest& request, WallTime wall_now, MonoTime now) {
  if (!request.has_start_at()) return now;
  // In seconds first: what does not fit into nanoseconds must not wrap around.
  const auto since_epoch = std::chrono::duration_cast<Nanos>(wall_now.time_since_epoch());
  const auto now_s = std::chrono::floor<std::chrono::seconds>(since_epoch).count();
  const google::protobuf::Timestamp& at = request.start_at();
  const bool near = at.seconds() > now_s - 10 && at.seconds() < now_s + kMaxAhead.count() + 10 &&
                    at.nanos() >= 0 && at.nanos() < 1'000'000'000;
  const Nanos ahead = near ? Nanos(google::protobuf::util::TimeUtil::TimestampToNanoseconds(at)) - since_epoch
                           : Nanos(kMaxAhead) * 2;
  if (near && ahead >= -kMaxLate && ahead <= kMaxAhead) return now + std::max(Nanos::zero(), ahead);
  return invalid_argument(
      "start_at is {} by this node's clock; it may be at most {} s ago and at most {} s ahead",
      near && ahead < Nanos::zero() ? fmt::format("{:.3f} s ago", to_seconds(-ahead))
      : near                        ? fmt::format("{:.3f} s ahead", to_seconds(ahead))
                                    : std::string("far off"),
      kMaxLate.count(), kMaxAhead.count());
}

Nanos duration_of(const v1::ApplyRequest& request) {
  return to_nanos(request.duration());
}

Nanos lease_of(const v1::ApplyRequest& request, const EngineOptions& options) {
  // Without a lease nobody promises to renew, so the maximum does not apply: the duration is the bound.
  return request.has_lease() ? std::min(to_nanos(request.lease()), options.max_lease) : duration_of(request);
}

StatusOr<Nanos> checked_lease(const google::protobuf::Duration& lease, const EngineOptions& options) {
  FL_RETURN_IF_ERROR(check_span("lease", lease, options.max_lease));
  return to_nanos(lease);
}

}  // namespace faultline
