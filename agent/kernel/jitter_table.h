// How a packet's delay is spread around its latency: tables for netem (TCA_NETEM_DELAY_DIST), made from the
// distributions' inverse CDFs. Pure. netem draws entry t and adds jitter * t / 8192 to the latency, so a
// table ends at four times the jitter at most; ours are standardised with that cut in force, so that the mean
// is the latency and the deviation exactly what deviation_of() says. Source of the arithmetic: tabledist() in
// net/sched/sch_netem.c.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace faultline {

enum class JitterShape {
  kUniform,       // up to the jitter to either side
  kNormal,        // in these three, the jitter is the standard deviation
  kPareto,        // of shape 3
  kParetoNormal,  // a quarter of the normal quantile and three quarters of the Pareto one
};

inline constexpr std::size_t kJitterTableSize = 4096;  // netem takes up to 16384
using JitterTable = std::array<std::int16_t, kJitterTableSize>;

// Ascending. Made at the first call for a shape, about a millisecond; any thread.
const JitterTable& jitter_table(JitterShape shape);

// Of the delay beyond the latency, in units of the jitter.
double median_of(JitterShape shape);
double quantile_of(JitterShape shape, double probability);
double deviation_of(JitterShape shape);
double longest_of(JitterShape shape);

}  // namespace faultline
