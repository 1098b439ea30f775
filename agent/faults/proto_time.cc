#include "agent/faults/proto_time.h"

#include <google/protobuf/util/time_util.h>

namespace faultline {

Nanos to_nanos(const google::protobuf::Duration& duration) {
  return Nanos(google::protobuf::util::TimeUtil::DurationToNanoseconds(duration));
}

Status check_time(const google::protobuf::Duration& duration, std::string_view field,
                  const TimeRange& range) {
  // Seconds first: what does not fit into nanoseconds must not wrap around.
  const bool sane = duration.seconds() >= -1'000'000 && duration.seconds() <= 1'000'000 &&
                    std::abs(duration.nanos()) < 1'000'000'000;
  if (!sane || to_nanos(duration) < range.least || to_nanos(duration) > range.most) {
    return invalid_argument("{} must be from {} to {}", field, time_text(range.least), time_text(range.most));
  }
  return ok_status();
}

double to_ms(Nanos time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

std::string time_text(Nanos time) {
  const struct {
    Nanos unit;
    const char* name;
  } whole[] = {
      {std::chrono::hours(1), "h"}, {std::chrono::minutes(1), "min"}, {std::chrono::seconds(1), "s"}};
  for (const auto& [unit, name] : whole) {
    if (time >= unit && time % unit == Nanos::zero()) return fmt::format("{} {}", time / unit, name);
  }
  if (time >= std::chrono::microseconds(1)) return fmt::format("{} ms", to_ms(time));
  return fmt::format("{} ns", time.count());
}

}  // namespace faultline
