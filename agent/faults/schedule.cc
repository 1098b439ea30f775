#include "agent/faults/schedule.h"

#include <google/protobuf/util/time_util.h>

namespace faultline {
namespace {

constexpr Nanos kShortest = std::chrono::milliseconds(1);
constexpr Nanos kLongest = std::chrono::hours(1);

Nanos to_nanos(const google::protobuf::Duration& d) {
  return Nanos(google::protobuf::util::TimeUtil::DurationToNanoseconds(d));
}

Status check_span(const google::protobuf::Duration& span, std::string_view field) {
  // Seconds first: what does not fit into nanoseconds must not wrap around.
  const bool fits = span.seconds() >= 0 && span.seconds() <= 1'000'000 && span.nanos() >= 0;
  if (fits && to_nanos(span) >= kShortest && to_nanos(span) <= kLongest) return ok_status();
  return invalid_argument("pulse: {} must be between one millisecond and one hour", field);
}

double to_ms(Nanos t) {
  return std::chrono::duration<double, std::milli>(t).count();
}

}  // namespace

Status check_pulse(const v1::FaultSpec& spec) {
  if (!spec.has_pulse()) return ok_status();
  FL_RETURN_IF_ERROR(check_span(spec.pulse().on(), "on"));
  return check_span(spec.pulse().off(), "off");
}

fl_schedule to_schedule(const FaultRequest& request) {
  fl_schedule schedule{};
  schedule.start_ns = ktime_ns(request.start);
  schedule.deadline_ns = ktime_ns(request.deadline);
  if (request.spec.has_pulse()) {
    const v1::Pulse& pulse = request.spec.pulse();
    schedule.on_ns = static_cast<__u64>(to_nanos(pulse.on()).count());
    schedule.period_ns = static_cast<__u64>((to_nanos(pulse.on()) + to_nanos(pulse.off())).count());
  }
  return schedule;
}

std::string describe_pulse(const v1::FaultSpec& spec) {
  if (!spec.has_pulse()) return {};
  return fmt::format("on for {} ms, off for {} ms, from the start on", to_ms(to_nanos(spec.pulse().on())),
                     to_ms(to_nanos(spec.pulse().off())));
}

}  // namespace faultline
