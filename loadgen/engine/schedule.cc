#include "loadgen/engine/schedule.h"

#include <algorithm>
#include <cmath>

namespace faultline {
namespace {

constexpr double kSecond = 1e9;

// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t draw(std::uint64_t& state) {
  std::uint64_t x = state += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

bool is_rate(double rate) {
  return std::isfinite(rate) && rate >= 0;
}

}  // namespace

StatusOr<Schedule> Schedule::make(std::vector<Stage> stages) {
  Schedule schedule;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    if (stage.length <= Nanos::zero())
      return invalid_argument("stage {}: its length must be above zero", i + 1);
    if (!is_rate(stage.from_rate) || !is_rate(stage.to_rate)) {
      return invalid_argument("stage {}: a rate must be a number that is not negative", i + 1);
    }
    const double length_s = static_cast<double>(stage.length.count()) / kSecond;
    const Part part{.begins_s = static_cast<double>(schedule.length_.count()) / kSecond,
                    .from_rate = stage.from_rate,
                    .slope = (stage.to_rate - stage.from_rate) / length_s,
                    .length_s = length_s,
                    .requests_before = schedule.requests_,
                    .requests = (stage.from_rate + stage.to_rate) / 2 * length_s};
    schedule.parts_.push_back(part);
    schedule.length_ += stage.length;
    schedule.requests_ += part.requests;
  }
  return schedule;
}

std::optional<Nanos> Schedule::when(double position) const {
  if (position < 0 || position >= requests_) return std::nullopt;
  const auto after = std::upper_bound(parts_.begin(), parts_.end(), position,
                                      [](double p, const Part& part) { return p < part.requests_before; });
  const Part& part = *std::prev(after);
  // Of from_rate * t + slope / 2 * t^2 = n the root that does not cancel.
  const double n = position - part.requests_before;
  const double discriminant = part.from_rate * part.from_rate + 2 * part.slope * n;
  const double sum = part.from_rate + std::sqrt(std::max(0.0, discriminant));
  const double t = sum > 0 ? 2 * n / sum : 0;
  return Nanos(std::llround((part.begins_s + std::min(t, part.length_s)) * kSecond));
}

double Schedule::rate_at(Nanos time) const {
  const double t = static_cast<double>(time.count()) / kSecond;
  for (const Part& part : parts_) {
    if (t >= part.begins_s && t < part.begins_s + part.length_s)
      return part.from_rate + part.slope * (t - part.begins_s);
  }
  return 0;
}

Arrivals::Arrivals(const Schedule& schedule, double position, double step, std::optional<std::uint64_t> seed)
    : schedule_(&schedule), position_(position), step_(step), chance_(seed) {
  if (chance_) position_ += gap();
  next_ = schedule_->when(position_);
}

Arrivals Arrivals::even(const Schedule& schedule, unsigned worker, unsigned workers) {
  return {schedule, static_cast<double>(worker), static_cast<double>(workers), std::nullopt};
}

Arrivals Arrivals::poisson(const Schedule& schedule, unsigned worker, unsigned workers, std::uint64_t seed) {
  std::uint64_t mixed = seed;
  for (unsigned i = 0; i <= worker; ++i) seed = draw(mixed);
  return {schedule, 0, static_cast<double>(workers), seed};
}

// Exponential, of mean step_.
double Arrivals::gap() {
  const double uniform = (static_cast<double>(draw(*chance_) >> 11) + 0.5) * 0x1p-53;
  return -std::log(uniform) * step_;
}

void Arrivals::advance() {
  position_ += chance_ ? gap() : step_;
  next_ = schedule_->when(position_);
}

}  // namespace faultline
