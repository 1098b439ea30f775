// Short texts about samples and times for messages to people. Pure.
#pragma once

#include <string>

#include "controller/experiment/record.h"

namespace faultline {

// "UNHEALTHY (connection refused)".
std::string describe(const Sample& sample);

// Rounded for reading: "12.3 s", "812 ms", "0.42 ms". format_duration() is the exact one.
std::string rounded(Nanos time);

// "between 1.2 s and 1.5 s"; "not within 12.3 s" without a latest.
std::string describe(const Interval& interval);

}  // namespace faultline
