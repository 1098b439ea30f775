// Health adapters: one answer at a time to "is it well?", seen from outside like any client would.
//
// An adapter belongs to one probe and is used by one thread at a time; cancel() alone may come from any
// thread. A probe never throws and never hangs: it answers within its timeout, give or take scheduling.
//   HEALTHY, DEGRADED, UNHEALTHY  the checked thing told so, or refused, reset or did not answer in time
//   UNKNOWN                       the probe itself could not tell: the name does not resolve, no local
//   socket,
//                                 a body that is not JSON where JSON is asked, no value at the pointer
#pragma once

#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"
#include "controller/experiment/model.h"

namespace faultline {

struct HealthReading {
  HealthState state = HealthState::kUnknown;
  Nanos latency{};     // from the call to the answer, name resolution and connect included
  std::string detail;  // "200", "connection refused"; short, for people
};

class HealthAdapter {
 public:
  virtual ~HealthAdapter() = default;

  virtual HealthReading probe(Nanos timeout) = 0;

  // Makes the probe under way, and any later one, return at once with UNKNOWN. Thread-safe.
  virtual void cancel() = 0;
};

// The adapter for a probe's check, with the probe's own latency limit (degraded_above) applied.
// Internal: libcurl would not start.
StatusOr<std::unique_ptr<HealthAdapter>> make_adapter(const Probe& probe);

}  // namespace faultline
