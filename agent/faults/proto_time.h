// Durations of fault messages. Pure.
#pragma once

#include <google/protobuf/duration.pb.h>

#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"

namespace faultline {

struct TimeRange {  // both ends included
  Nanos least;
  Nanos most;
};

// Of a duration within a range; others may not fit into nanoseconds.
Nanos to_nanos(const google::protobuf::Duration& duration);

// InvalidArgument, beginning with `field`, when it lies outside.
Status check_time(const google::protobuf::Duration& duration, std::string_view field, const TimeRange& range);

double to_ms(Nanos time);
std::string time_text(Nanos time);  // "200 ms", "0.5 ms", "1 h", "1 ns"

}  // namespace faultline
