#include "agent/faults/loss.h"

#include "agent/faults/shaping_kind.h"

namespace faultline {
namespace {

class LossKind : public ShapingKind {
 public:
  using ShapingKind::ShapingKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kLoss; }
  std::string_view name() const override { return "loss"; }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override { return spec.loss().traffic(); }

  Status check_values(const v1::FaultSpec& spec) const override {
    // Written so that NaN is refused, too.
    const double probability = spec.loss().packets().probability();
    if (!(probability > 0.0 && probability <= 1.0)) {
      return invalid_argument("loss: probability must be above 0 and at most 1");
    }
    return ok_status();
  }

  ShapeRequest shaping(const v1::FaultSpec& spec) const override {
    ShapeRequest shape{};
    shape.probability = spec.loss().packets().probability();
    shape.seed = spec.seed();
    shape.band = BlackholeParams{};
    return shape;
  }

  std::string effect(const v1::FaultSpec& spec) const override {
    return fmt::format("{} % of them are dropped silently (seed {})", spec.loss().packets().probability() * 100,
                       spec.seed());
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, const ShapedTraffic& traffic) const override {
    const SteerCounters counted = traffic.counters();
    v1::Achieved share;
    share.set_name("loss");
    share.set_unit("%");
    share.set_requested(spec.loss().packets().probability() * 100);
    share.set_samples(counted.matched);
    if (counted.matched > 0) {
      const double lost =
          100.0 * static_cast<double>(counted.injected) / static_cast<double>(counted.matched);
      share.set_median(lost);
      share.set_p05(lost);
      share.set_p95(lost);
    }
    return {share};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_loss(NetShaper& shaper) {
  return std::make_unique<LossKind>(shaper);
}

}  // namespace faultline
