// The limits of an experiment file, in one place; docs/experiments.md names them.
#pragma once

#include "controller/experiment/file/fields.h"
#include "controller/experiment/model.h"

namespace faultline {

// A run's id, '-' and a fault's name make the fault's id at the agent, which has room for 64 characters.
inline constexpr std::size_t kMaxNameLength = 40;
inline constexpr std::size_t kMaxExperimentNameLength = 64;

inline constexpr std::size_t kMaxProbes = 64;  // a thread each
inline constexpr std::size_t kMaxSteps = 256;

inline constexpr DurationRange kEveryRange{std::chrono::milliseconds(10), std::chrono::minutes(1)};
inline constexpr DurationRange kTimeoutRange{std::chrono::milliseconds(1), std::chrono::minutes(1)};
inline constexpr DurationRange kFaultRange{std::chrono::milliseconds(1), kMaxFaultDuration};
inline constexpr DurationRange kPhaseRange{std::chrono::milliseconds(1), std::chrono::hours(1)};

}  // namespace faultline
