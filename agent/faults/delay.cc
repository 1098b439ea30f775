// Auto: the steering. Sticky, inert: a netem band. Egress: in the target's namespace; ingress: on the host
// end.
#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/proto_time.h"
#include "agent/faults/traffic_kind.h"
#include "agent/kernel/netem_support.h"

namespace faultline {
namespace {

constexpr TimeRange kLatency{.least = Nanos(1), .most = std::chrono::minutes(1)};
constexpr Nanos kMaxJitter = std::chrono::seconds(2);  // netem would cut it to 2.1 s without a word

JitterShape shape_of(v1::Distribution distribution) {
  switch (distribution) {
    case v1::DISTRIBUTION_NORMAL:
      return JitterShape::kNormal;
    case v1::DISTRIBUTION_PARETO:
      return JitterShape::kPareto;
    case v1::DISTRIBUTION_PARETONORMAL:
      return JitterShape::kParetoNormal;
    default:
      return JitterShape::kUniform;
  }
}

class DelayKind : public TrafficKind {
 public:
  using TrafficKind::TrafficKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kDelay; }
  std::string_view name() const override { return "delay"; }
  std::string_view mechanism() const override { return "BPF steers, netem in a band of prio delays"; }
  Status supported() override { return traffic().supported(BandParams(NetemParams{})); }
  std::vector<std::string> limits() override {
    std::vector<std::string> limits = traffic().limits(BandParams(NetemParams{}));
    limits.emplace_back("no correlation (netem takes it without effect)");
    if (auto seeded = netem_takes_seed(); !seeded.ok()) {
      limits.push_back("whether its seed repeats the jitter is not known: " + message_of(seeded.status()));
    } else if (!*seeded) {
      limits.push_back("its seed does not repeat the jitter (netem takes one from 6.7 on)");
    }
    return limits;
  }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override { return spec.delay().traffic(); }

  Status check_values(const v1::FaultSpec& spec) const override {
    const v1::Delay& delay = spec.delay();
    FL_RETURN_IF_ERROR(check_time(delay.latency(), "delay: latency", kLatency));
    FL_RETURN_IF_ERROR(
        check_time(delay.jitter(), "delay: jitter",
                   {.least = Nanos(0), .most = std::min(kMaxJitter, to_nanos(delay.latency()))}));
    if (!(delay.correlation() >= 0 && delay.correlation() < 1)) {  // refuses NaN, too
      return invalid_argument("delay: correlation must be at least 0 and below 1");
    }
    if (!v1::Distribution_IsValid(delay.distribution()))
      return invalid_argument("delay: unknown distribution");
    // Seen on 6.1 and 6.12: at 90 % asked for, two delays in a row are no more alike than any others.
    if (delay.correlation() > 0) {
      return make_error(StatusCode::kUnimplemented,
                        "delay: correlation: the kernel's netem takes it and draws as if it were not there");
    }
    if (delay.distribution() != v1::DISTRIBUTION_UNIFORM && to_nanos(delay.jitter()) == Nanos::zero()) {
      return invalid_argument("delay: a distribution needs a jitter");
    }
    return ok_status();
  }

  TrafficAction action(const v1::FaultSpec& spec) const override {
    return BandParams(NetemParams{.latency = to_nanos(spec.delay().latency()),
                                  .jitter = to_nanos(spec.delay().jitter()),
                                  .correlation = spec.delay().correlation(),
                                  .shape = shape_of(spec.delay().distribution()),
                                  .seed = spec.seed()});
  }

  std::string effect(const v1::FaultSpec& spec) const override {
    const v1::Delay& delay = spec.delay();
    return fmt::format("each of them waits {}, jitter {}", time_text(to_nanos(delay.latency())),
                       time_text(to_nanos(delay.jitter())));
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, TrafficFault& fault) const override {
    const Nanos latency = to_nanos(spec.delay().latency());
    const double off = median_of(shape_of(spec.delay().distribution()));
    const Nanos median =
        latency +
        Nanos(static_cast<std::int64_t>(off * static_cast<double>(to_nanos(spec.delay().jitter()).count())));
    return {achieved_time("latency", latency, median, fault.sojourn())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_delay(NetTraffic& traffic) {
  return std::make_unique<DelayKind>(traffic);
}

}  // namespace faultline
