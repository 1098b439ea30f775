#include "agent/faults/reset_rule.h"

#include <google/protobuf/util/time_util.h>

#include "agent/faults/net_filter.h"
#include "agent/faults/schedule.h"

namespace faultline {
namespace {

constexpr Nanos kMinEvery = std::chrono::milliseconds(10);
constexpr Nanos kMaxEvery = std::chrono::hours(1);

Nanos to_nanos(const google::protobuf::Duration& d) {
  return Nanos(google::protobuf::util::TimeUtil::DurationToNanoseconds(d));
}

StatusOr<Nanos> to_every(const v1::Reset& reset) {
  if (!reset.has_every()) return Nanos::zero();
  // Seconds first: what does not fit into nanoseconds must not wrap around.
  const google::protobuf::Duration& every = reset.every();
  const bool fits = every.seconds() >= 0 && every.seconds() <= 1'000'000 && every.nanos() >= 0;
  if (fits && to_nanos(every) >= kMinEvery && to_nanos(every) <= kMaxEvery) return to_nanos(every);
  return invalid_argument("reset: every must be between 10 ms and one hour");
}

Status check_filter(const v1::NetworkFilter& filter) {
  if (filter.protocol() != v1::PROTOCOL_ANY && filter.protocol() != v1::PROTOCOL_TCP) {
    return invalid_argument("reset: only TCP connections can be reset");
  }
  if (filter.direction() != v1::DIRECTION_UNSPECIFIED && filter.direction() != v1::DIRECTION_EGRESS &&
      filter.direction() != v1::DIRECTION_BOTH) {
    return invalid_argument("reset: a connection is reset as a whole; leave the direction out");
  }
  return ok_status();
}

StatusOr<TrafficFilter> to_filter(v1::NetworkFilter filter) {
  filter.set_protocol(v1::PROTOCOL_TCP);  // so that ports may be given without saying it
  return to_traffic_filter(filter, v1::DIRECTION_EGRESS);
}

double to_ms(Nanos t) {
  return std::chrono::duration<double, std::milli>(t).count();
}

}  // namespace

StatusOr<ResetRule> to_reset_rule(const v1::FaultSpec& spec) {
  const v1::NetworkFilter& filter = spec.reset().traffic();
  FL_RETURN_IF_ERROR(check_filter(filter));
  FL_RETURN_IF_ERROR(check_pulse(spec));
  ResetRule rule;
  FL_ASSIGN_OR_RETURN(rule.filter, to_filter(filter));
  rule.match = rule.filter.fixed;
  FL_ASSIGN_OR_RETURN(rule.every, to_every(spec.reset()));
  rule.share = dice_threshold(rule.filter.share);
  rule.seed = spec.seed();
  return rule;
}

bool concerns(const ResetRule& rule, const TcpConnection& connection) {
  return matches(rule.match, connection) && connection_dice(connection, rule.seed) < rule.share;
}

std::optional<MonoTime> next_round(MonoTime start, Nanos every, MonoTime now) {
  if (now < start) return start;
  if (every <= Nanos::zero()) return std::nullopt;
  const auto rounds = (now - start) / every + 1;
  return start + rounds * every;
}

std::string describe_reset(const v1::FaultSpec& spec) {
  const v1::Reset& reset = spec.reset();
  std::string text = reset.traffic().has_share()
                         ? fmt::format("{} % of them are reset", reset.traffic().share() * 100)
                         : std::string("they are reset");
  if (reset.has_every()) text += fmt::format(", and again every {} ms", to_ms(to_nanos(reset.every())));
  return text;
}

}  // namespace faultline
