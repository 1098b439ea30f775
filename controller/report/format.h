// Spellings that the reports share. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "common/clock.h"
#include "controller/experiment/record.h"

namespace faultline {

// UTC with nanoseconds: 2026-01-31T10:15:02.123456789Z
std::string iso8601(WallTime time);

// For people, three or four digits: 250 ns, 12.5 us, 200.7 ms, 12.50 s.
std::string duration_text(Nanos duration);

// Seconds with milliseconds, without the unit: 12.500
std::string seconds_text(Nanos duration);

// "+1.2 ms +- 0.3 ms": by how much the node's clock is ahead of ours.
std::string clock_text(const NodeClock& clock);

// A number without needless digits: 200, 200.7, 0.5
std::string number_text(double value);

// "none", "precondition", "stop condition", "halt", "signal", "infrastructure"
const char* to_string(Interruption interruption);

// FAULT_STATE_ENDED, FAULT_STATE_ -> ended
std::string enum_word(const std::string& name, std::string_view prefix);

}  // namespace faultline
