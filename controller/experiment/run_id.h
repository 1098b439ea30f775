// Names of runs and of their faults. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace faultline {

// Sorts by time: 20260131T101502Z-3f9a; the last four digits are `random`'s.
std::string make_run_id(WallTime now, std::uint16_t random);

// The id at the agent of the run's fault step `index`, called `name`: unique on the node, told apart by
// people, within the agent's [A-Za-z0-9._-]{1,64}.
std::string make_fault_id(std::string_view run_id, std::size_t index, std::string_view name);

}  // namespace faultline
