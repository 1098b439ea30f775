#include "agent/faults/reset_rule.h"

#include "agent/faults/net_filter.h"
#include "agent/faults/proto_time.h"
#include "agent/faults/schedule.h"

namespace faultline {
namespace {

constexpr TimeRange kEvery{.least = std::chrono::milliseconds(10), .most = std::chrono::hours(1)};

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

}  // namespace

StatusOr<ResetRule> to_reset_rule(const v1::FaultSpec& spec) {
  const v1::NetworkFilter& filter = spec.reset().traffic();
  FL_RETURN_IF_ERROR(check_filter(filter));
  FL_RETURN_IF_ERROR(check_pulse(spec));
  ResetRule rule;
  FL_ASSIGN_OR_RETURN(rule.filter, to_filter(filter));
  rule.match = rule.filter.fixed;
  if (spec.reset().has_every()) {
    FL_RETURN_IF_ERROR(check_time(spec.reset().every(), "reset: every", kEvery));
    rule.every = to_nanos(spec.reset().every());
  }
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
  if (reset.has_every()) text += ", and again every " + time_text(to_nanos(reset.every()));
  return text;
}

}  // namespace faultline
