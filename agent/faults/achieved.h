// What was asked of a fault beside what the kernel was seen to do, and within which bounds that is as asked.
// Pure.
#pragma once

#include <vector>

#include "agent/kernel/jitter_table.h"
#include "agent/kernel/net_sojourn.h"
#include "agent/kernel/net_steer.h"
#include "common/clock.h"
#include "faultline/v1/agent.pb.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

struct RequestedTime {
  Nanos latency{};
  Nanos jitter{};
  JitterShape shape = JitterShape::kUniform;
  double correlation = 0;  // of the jitter of two packets in a row
};

// Of the packets' time in their band. Tolerated of its median: what 99 % of such samples show by chance
// (order statistics; packets that are correlated count for fewer), and beyond that a tenth of the requested
// median, and not less than a millisecond, for the time that a busy node's processor is away.
v1::Achieved achieved_time(std::string_view name, const RequestedTime& requested, SojournSamples samples);

// The share of packets hit. `requested` is 0 where the selection names none (the first n). Tolerated, where
// packets are drawn independently: the interval that holds 99 % of binomial outcomes (normal approximation
// with the continuity correction; not judged below 30 packets).
v1::Achieved achieved_share(std::string_view name, const v1::Selection* packets,
                            const SteerCounters& counted);

// Of the bandwidth while packets were waiting. Tolerated: a tenth.
v1::Achieved achieved_rate(std::uint64_t bits_per_second, const SojournSamples& samples);

}  // namespace faultline
