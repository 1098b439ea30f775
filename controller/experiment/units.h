// Durations and percentages as people write them: 200ms, 1m30s, 0.5%. Errors are INVALID_ARGUMENT and say how
// to write it right, without a place. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/status.h"

namespace faultline {

// One or more of a number and a unit (h, m, s, ms, us, ns), the units falling: 1m30s. The number may have
// decimals as long as the whole is a number of nanoseconds: 0.5ms. Never negative; zero needs a unit too.
StatusOr<Nanos> parse_duration(std::string_view text);

// The shortest text that parse_duration() turns back into exactly `duration`; `duration` must not be
// negative.
std::string format_duration(Nanos duration);

// "10%" is 0.1; from 0% to 100%.
StatusOr<double> parse_percentage(std::string_view text);

}  // namespace faultline
