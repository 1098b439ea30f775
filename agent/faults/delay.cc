// Auto: the steering. Sticky, inert: a netem band, where delays are correlated with the filter in it. Egress:
// in the target's namespace; ingress: on the host end.
#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/proto_time.h"
#include "agent/faults/traffic_kind.h"
#include "agent/kernel/jitter_grades.h"
#include "agent/kernel/netem_support.h"

namespace faultline {
namespace {

constexpr TimeRange kLatency{.least = Nanos(1), .most = std::chrono::minutes(1)};
constexpr Nanos kMaxJitter = std::chrono::seconds(2);  // netem would cut it to 2.1 s without a word

constexpr NetemParams kCorrelated{
    .latency = std::chrono::milliseconds(2), .jitter = std::chrono::milliseconds(1), .correlation = 0.5};

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
    if (const Status graded = traffic().supported(BandParams(kCorrelated)); !graded.ok()) {
      limits.push_back("no correlation: " + message_of(graded));
    }
    if (auto seeded = netem_takes_seed(); !seeded.ok()) {
      limits.push_back("whether its seed repeats the jitter is not known: " + message_of(seeded.status()));
    } else if (!*seeded) {
      limits.push_back(
          "its seed repeats correlated jitter to within a sixteenth, other jitter not at all (netem takes "
          "one from 6.7 on)");
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
    if (!(delay.correlation() >= 0 && delay.correlation() <= kMostCorrelation)) {  // refuses NaN, too
      return invalid_argument("delay: correlation must be between 0 and {}", kMostCorrelation);
    }
    if (!v1::Distribution_IsValid(delay.distribution()))
      return invalid_argument("delay: unknown distribution");
    if (to_nanos(delay.jitter()) == Nanos::zero()) {
      if (delay.distribution() != v1::DISTRIBUTION_UNIFORM) {
        return invalid_argument("delay: a distribution needs a jitter");
      }
      if (delay.correlation() > 0) return invalid_argument("delay: a correlation needs a jitter");
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
    std::string text = fmt::format("each of them waits {}, jitter {}", time_text(to_nanos(delay.latency())),
                                   time_text(to_nanos(delay.jitter())));
    if (delay.correlation() > 0) {
      text += fmt::format(", {:g} % correlated with the packet before", 100 * delay.correlation());
    }
    return text;
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, TrafficFault& fault) const override {
    const v1::Delay& delay = spec.delay();
    return {achieved_time("latency",
                          {.latency = to_nanos(delay.latency()),
                           .jitter = to_nanos(delay.jitter()),
                           .shape = shape_of(delay.distribution()),
                           .correlation = delay.correlation()},
                          fault.sojourn())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_delay(NetTraffic& traffic) {
  return std::make_unique<DelayKind>(traffic);
}

}  // namespace faultline
