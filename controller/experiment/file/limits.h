// The limits of an experiment file, in one place; docs/experiments.md names them.
#pragma once

#include <cstdint>

#include "controller/experiment/file/fields.h"
#include "controller/experiment/model.h"

namespace faultline {

// A run's id, '-' and a fault's name make the fault's id at the agent, which has room for 64 characters.
inline constexpr std::size_t kMaxNameLength = 40;
inline constexpr std::size_t kMaxExperimentNameLength = 64;

inline constexpr std::size_t kMaxProbes = 64;  // a thread each
inline constexpr std::size_t kMaxSteps = 256;

inline constexpr std::size_t kMaxPeers = 64;  // of a fault, and as many excepted; the agent has as many rules
inline constexpr std::size_t kMaxDnsNames = 64;
inline constexpr std::size_t kMaxDnsAddresses = 8;  // of each family
inline constexpr std::uint64_t kMinBitsPerSecond = 8'000;
inline constexpr std::uint64_t kMaxBitsPerSecond = 400'000'000'000;
inline constexpr std::uint64_t kMaxBurstBytes = 64U << 20;
inline constexpr int kMaxPriority = 1000;  // and as far below zero

inline constexpr DurationRange kEveryRange{std::chrono::milliseconds(10), std::chrono::minutes(1)};
inline constexpr DurationRange kTimeoutRange{std::chrono::milliseconds(1), std::chrono::minutes(1)};
inline constexpr DurationRange kFaultRange{std::chrono::milliseconds(1), kMaxFaultDuration};
inline constexpr DurationRange kPulseRange{std::chrono::milliseconds(1), kMaxFaultDuration};
inline constexpr DurationRange kResetRange{std::chrono::milliseconds(10), kMaxFaultDuration};
inline constexpr DurationRange kWaitRange{Nanos(1), std::chrono::minutes(1)};  // of a packet or an answer
inline constexpr DurationRange kMaxWaitRange{std::chrono::milliseconds(1), std::chrono::minutes(1)};
inline constexpr DurationRange kJitterRange{Nanos::zero(), std::chrono::seconds(2)};
inline constexpr DurationRange kPhaseRange{std::chrono::milliseconds(1), std::chrono::hours(1)};

}  // namespace faultline
