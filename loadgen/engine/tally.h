// What a worker counts and measures. Merged over workers at the end.
//   scheduled = sent + shed + unsent
//   sent      = answered + failed + in flight at the end
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "loadgen/engine/failure.h"
#include "loadgen/engine/histogram.h"

namespace faultline {

struct Tally {
  static constexpr std::uint64_t kLongest = 3'600'000'000'000;  // an hour, ns

  explicit Tally(int digits)
      : response(digits, kLongest),
        service(digits, kLongest),
        lateness(digits, kLongest),
        connecting(digits, kLongest) {}

  void merge(const Tally& other);
  std::uint64_t failed() const;

  std::uint64_t scheduled = 0;
  std::uint64_t sent = 0;
  std::uint64_t shed = 0;       // too many were waiting for a connection
  std::uint64_t unsent = 0;     // still waiting for one at the end
  std::uint64_t in_flight = 0;  // at the end
  std::uint64_t answered = 0;   // whatever the answer was
  std::uint64_t good = 0;
  std::array<std::uint64_t, kFailures> failures{};
  std::map<int, std::uint64_t> statuses;
  std::uint64_t connects = 0, connect_failures = 0;
  std::array<std::uint64_t, kFailures> connect_failed_by{};
  std::uint64_t bytes_out = 0, bytes_in = 0, body_bytes = 0;

  // ns; of answers only.
  Histogram response;  // from the intended time
  Histogram service;   // from the time of sending
  // ns; of what the generator itself did.
  Histogram lateness;    // from the intended time to when the worker took the request up
  Histogram connecting;  // until connected
};

}  // namespace faultline
