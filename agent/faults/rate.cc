// Auto: the steering. Sticky, inert: a token bucket in a band.
#include "agent/faults/achieved.h"
#include "agent/faults/network_kinds.h"
#include "agent/faults/proto_time.h"
#include "agent/faults/traffic_kind.h"

namespace faultline {
namespace {

constexpr std::uint64_t kLeastBits = 8'000;
constexpr std::uint64_t kMostBits = 400'000'000'000;
constexpr std::uint64_t kMostBurst = 64 << 20;
constexpr TimeRange kMaxWait{.least = std::chrono::milliseconds(1), .most = std::chrono::minutes(1)};

Nanos max_wait_of(const v1::Rate& rate) {
  return rate.has_max_wait() ? to_nanos(rate.max_wait()) : std::chrono::milliseconds(400);
}

class RateKind : public TrafficKind {
 public:
  using TrafficKind::TrafficKind;

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kRate; }
  std::string_view name() const override { return "rate"; }
  std::string_view mechanism() const override {
    return "BPF steers, a token bucket in a band of prio limits";
  }
  Status supported() override {
    return traffic().supported(
        BandParams(TbfParams{.bytes_per_second = 1'000'000, .max_wait = std::chrono::seconds(1)}));
  }
  std::vector<std::string> limits() override { return traffic().limits(BandParams(TbfParams{})); }

 protected:
  const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const override { return spec.rate().traffic(); }

  Status check_values(const v1::FaultSpec& spec) const override {
    const v1::Rate& rate = spec.rate();
    if (rate.bits_per_second() < kLeastBits || rate.bits_per_second() > kMostBits) {
      return invalid_argument("rate: bits per second must be from {} to {}", kLeastBits, kMostBits);
    }
    if (rate.burst_bytes() > kMostBurst) {
      return invalid_argument("rate: burst must be at most {} bytes", kMostBurst);
    }
    if (rate.has_max_wait()) FL_RETURN_IF_ERROR(check_time(rate.max_wait(), "rate: max wait", kMaxWait));
    // The bucket's queue must hold a whole burst, so the last of it would wait longer than it may.
    const double burst_s =
        static_cast<double>(rate.burst_bytes()) * 8 / static_cast<double>(rate.bits_per_second());
    if (burst_s > std::chrono::duration<double>(max_wait_of(rate)).count()) {
      return invalid_argument("rate: a burst of {} bytes takes {} s at this rate, longer than the max wait",
                              rate.burst_bytes(), burst_s);
    }
    return ok_status();
  }

  TrafficAction action(const v1::FaultSpec& spec) const override {
    return BandParams(TbfParams{.bytes_per_second = spec.rate().bits_per_second() / 8,
                                .burst_bytes = static_cast<std::uint32_t>(spec.rate().burst_bytes()),
                                .max_wait = max_wait_of(spec.rate())});
  }

  std::string effect(const v1::FaultSpec& spec) const override {
    return fmt::format("together they get {} kbit/s; who would wait longer than {} is dropped",
                       static_cast<double>(spec.rate().bits_per_second()) / 1e3,
                       time_text(max_wait_of(spec.rate())));
  }

  std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, TrafficFault& fault) const override {
    return {achieved_rate(spec.rate().bits_per_second(), fault.sojourn())};
  }
};

}  // namespace

std::unique_ptr<FaultKind> make_rate(NetTraffic& traffic) {
  return std::make_unique<RateKind>(traffic);
}

}  // namespace faultline
