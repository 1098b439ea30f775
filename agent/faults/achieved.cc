#include "agent/faults/achieved.h"

#include <algorithm>
#include <cmath>

#include "agent/faults/proto_time.h"
#include "agent/kernel/jitter_grades.h"

namespace faultline {
namespace {

constexpr std::uint64_t kEnough = 30;   // samples, to be judged by
constexpr double kTwoSided99 = 2.5758;  // standard errors

double percentile(const std::vector<Nanos>& sorted, double p) {
  const auto rank = static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1) + 0.5);
  return to_ms(sorted[rank]);
}

// Of all packets in the long run; 0: the selection names no share.
double share_of(const v1::Selection* packets) {
  if (!packets) return 1.0;
  switch (packets->how_case()) {
    case v1::Selection::kProbability:
      return packets->probability();
    case v1::Selection::kEvery:
      return 1.0 / static_cast<double>(packets->every());
    case v1::Selection::kBursts: {
      const v1::GilbertElliott& b = packets->bursts();
      const double bad = b.enter_bad() / (b.enter_bad() + b.leave_bad());
      return bad * (b.has_hit_in_bad() ? b.hit_in_bad() : 1.0) + (1 - bad) * b.hit_in_good();
    }
    default:
      return 0.0;
  }
}

}  // namespace

v1::Achieved achieved_time(std::string_view name, const RequestedTime& requested, SojournSamples samples) {
  v1::Achieved time;
  time.set_name(std::string(name));
  time.set_unit("ms");
  time.set_requested(to_ms(requested.latency));
  time.set_samples(samples.count);
  if (samples.newest.empty()) return time;
  std::sort(samples.newest.begin(), samples.newest.end());
  time.set_median(percentile(samples.newest, 0.5));
  time.set_p05(percentile(samples.newest, 0.05));
  time.set_p95(percentile(samples.newest, 0.95));
  if (samples.count < kEnough) return time;
  const auto quantile = [&](double p) {
    return to_ms(requested.latency) + to_ms(requested.jitter) * quantile_of(requested.shape, p);
  };
  const double keeping = JitterGrades::of(requested.shape).keeping(requested.correlation);
  const double independent = static_cast<double>(samples.newest.size()) * (1 - keeping) / (1 + keeping);
  const double chance = kTwoSided99 * 0.5 / std::sqrt(independent);
  const double median = to_ms(requested.latency) + to_ms(requested.jitter) * median_of(requested.shape);
  const double tolerance = std::max(1.0, 0.1 * median);
  time.set_tolerated_low(std::max(0.0, quantile(0.5 - chance) - tolerance));
  time.set_tolerated_high(quantile(0.5 + chance) + tolerance);
  return time;
}

v1::Achieved achieved_share(std::string_view name, const v1::Selection* packets,
                            const SteerCounters& counted) {
  v1::Achieved share;
  const double requested = share_of(packets);
  share.set_name(std::string(name));
  share.set_unit("%");
  share.set_requested(100 * requested);
  share.set_samples(counted.matched);
  if (counted.matched == 0) return share;
  const auto n = static_cast<double>(counted.matched);
  const double seen = 100 * static_cast<double>(counted.injected) / n;
  share.set_median(seen);
  share.set_p05(seen);
  share.set_p95(seen);
  const bool independent = !packets || packets->how_case() != v1::Selection::kBursts;
  if (requested == 0 || !independent || counted.matched < kEnough) return share;
  const double off = kTwoSided99 * std::sqrt(requested * (1 - requested) / n) + 0.5 / n;
  share.set_tolerated_low(100 * std::max(0.0, requested - off));
  share.set_tolerated_high(100 * std::min(1.0, requested + off));
  return share;
}

v1::Achieved achieved_rate(std::uint64_t bits_per_second, const SojournSamples& samples) {
  v1::Achieved rate;
  rate.set_name("rate");
  rate.set_unit("kbit/s");
  const double requested = static_cast<double>(bits_per_second) / 1e3;
  rate.set_requested(requested);
  rate.set_samples(samples.busy_packets);
  if (samples.busy <= Nanos::zero()) return rate;
  const double seen =
      static_cast<double>(samples.busy_bytes) * 8e-3 / std::chrono::duration<double>(samples.busy).count();
  rate.set_median(seen);
  rate.set_p05(seen);
  rate.set_p95(seen);
  if (samples.busy_packets < kEnough) return rate;
  rate.set_tolerated_low(0.9 * requested);
  rate.set_tolerated_high(1.1 * requested);
  return rate;
}

}  // namespace faultline
