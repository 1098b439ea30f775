#include "agent/faults/schedule.h"

#include "agent/faults/proto_time.h"

namespace faultline {
namespace {

constexpr TimeRange kPart{.least = std::chrono::milliseconds(1), .most = std::chrono::hours(1)};

}  // namespace

Status check_pulse(const v1::FaultSpec& spec) {
  if (!spec.has_pulse()) return ok_status();
  FL_RETURN_IF_ERROR(check_time(spec.pulse().on(), "pulse: on", kPart));
  return check_time(spec.pulse().off(), "pulse: off", kPart);
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
  return fmt::format("on for {}, off for {}, from the start on", time_text(to_nanos(spec.pulse().on())),
                     time_text(to_nanos(spec.pulse().off())));
}

}  // namespace faultline
