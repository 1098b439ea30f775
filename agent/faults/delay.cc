#include "agent/faults/delay.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cmath>

#include "agent/faults/shaping_kind.h"

namespace faultline {
namespace {

constexpr Nanos kMaxLatency = std::chrono::minutes(1);
constexpr Nanos kMaxJitter = std::chrono::seconds(2);  // netem would cut it to 2.1 s without a word

Nanos to_nanos(const google::protobuf::Duration& d) {
  return Nanos(google::protobuf::util::TimeUtil::DurationToNanoseconds(d));
}

// What does not fit into nanoseconds must not wrap around.
bool fits(const google::protobuf::Duration& d) {
  return std::abs(static_cast<double>(d.seconds())) <= 1e6;
}

double to_ms(Nanos t) {
  return std::chrono::duration<double, std::milli>(t).count();
}

double percentile(const std::vector<Nanos>& sorted, double p) {
  const auto rank = static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1) + 0.5);
  return to_ms(sorted[rank]);
}

class DelayKind : public ShapingKind {
 public:
  using ShapingKind::ShapingKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kDelay; }
  std::string_view name() const override { return "delay"; }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override { return spec.delay().traffic(); }

  Status check_values(const v1::FaultSpec& spec) const override {
    if (!fits(spec.delay().latency()) || !fits(spec.delay().jitter())) {
      return invalid_argument("delay: latency must not be above one minute, nor jitter above the latency");
    }
    const Nanos latency = to_nanos(spec.delay().latency());
    const Nanos jitter = to_nanos(spec.delay().jitter());
    if (latency <= Nanos::zero()) return invalid_argument("delay: latency must be above zero");
    if (latency > kMaxLatency) return invalid_argument("delay: latency must not be above one minute");
    if (jitter < Nanos::zero() || jitter > latency) {
      return invalid_argument("delay: jitter must be between zero and the latency");
    }
    if (jitter > kMaxJitter) return invalid_argument("delay: jitter must not be above two seconds");
    return ok_status();
  }

  ShapeRequest shaping(const v1::FaultSpec& spec) const override {
    ShapeRequest shape{};
    shape.band = NetemParams{.latency = to_nanos(spec.delay().latency()),
                             .jitter = to_nanos(spec.delay().jitter()),
                             .seed = spec.seed()};
    return shape;
  }

  std::string effect(const v1::FaultSpec& spec) const override {
    return fmt::format("each of them waits {} ms plus or minus {} ms",
                       to_ms(to_nanos(spec.delay().latency())), to_ms(to_nanos(spec.delay().jitter())));
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, const ShapedTraffic& traffic) const override {
    SojournSamples samples = traffic.sojourn();
    v1::Achieved latency;
    latency.set_name("latency");
    latency.set_unit("ms");
    latency.set_requested(to_ms(to_nanos(spec.delay().latency())));
    latency.set_samples(samples.count);
    if (!samples.newest.empty()) {
      std::sort(samples.newest.begin(), samples.newest.end());
      latency.set_median(percentile(samples.newest, 0.5));
      latency.set_p05(percentile(samples.newest, 0.05));
      latency.set_p95(percentile(samples.newest, 0.95));
    }
    return {latency};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_delay(NetShaper& shaper) {
  return std::make_unique<DelayKind>(shaper);
}

}  // namespace faultline
