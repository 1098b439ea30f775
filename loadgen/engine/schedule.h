// When requests are to be sent, open loop: the intended time of request k is a pure function of k, and never
// of how the last ones fared. Times are from the start of the load. A rate changes linearly within a stage;
// the number of requests due until t is the integral of the rate, and the intended time of request k is where
// it reaches k.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "common/status.h"

namespace faultline {

struct Stage {
  Nanos length{};
  double from_rate = 0;  // requests a second, at its beginning
  double to_rate = 0;    // at its end
};

class Schedule {
 public:
  // InvalidArgument, naming the stage (from 1): a length that is not above zero, a rate that is negative or
  // not finite.
  static StatusOr<Schedule> make(std::vector<Stage> stages);

  Nanos length() const { return length_; }
  // Requests due until the end; where it is whole, the last one is due just then.
  double requests() const { return requests_; }
  // When `position` requests are due; nothing at or beyond the end. Requests are at positions 0, 1, 2, ..;
  // arrivals by chance are between.
  std::optional<Nanos> when(double position) const;
  double rate_at(Nanos time) const;

 private:
  struct Part {
    double begins_s, from_rate, slope, length_s;  // slope: requests a second, a second
    double requests_before;
    double requests;
  };

  std::vector<Part> parts_;
  Nanos length_{};
  double requests_ = 0;
};

// One worker's part of a schedule, in order. Evenly: of all requests every workers-th, so that the workers'
// are staggered. By chance: a Poisson process of a rate smaller by as much; together they are one of the
// whole rate.
class Arrivals {
 public:
  static Arrivals even(const Schedule& schedule, unsigned worker, unsigned workers);
  static Arrivals poisson(const Schedule& schedule, unsigned worker, unsigned workers, std::uint64_t seed);

  // The next request's intended time; nothing when there are no more. Does not move on.
  std::optional<Nanos> next() const { return next_; }
  void advance();

 private:
  Arrivals(const Schedule& schedule, double position, double step, std::optional<std::uint64_t> seed);
  double gap();

  const Schedule* schedule_;
  double position_;
  double step_;
  std::optional<std::uint64_t> chance_;
  std::optional<Nanos> next_;
};

}  // namespace faultline
