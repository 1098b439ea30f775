// One example of every kind of fault in the agent's table, and how to see that it bites: for the tests that
// every kind must pass. A kind without an example here fails them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/fault_lab.h"

namespace faultline::testing {

// Each hits UDP packets to kPeer hard enough for hit() to see.
inline const std::map<std::string, v1::FaultSpec>& fault_examples() {
  static const std::map<std::string, v1::FaultSpec> specs = {
      {"delay", delay_spec(std::chrono::milliseconds(300))},
      {"loss", loss_spec(1.0)},
  };
  return specs;
}

inline bool hit(LabProcess& who, const char* peer) {
  const UdpResult result = NetLab::udp(who, peer, kPort, 9, 2000, 1000);
  return result.loss() > 0.5 || result.median_ms() > 150;
}

inline std::vector<std::string> kinds_of_the_table() {
  struct NoLog : StickyLog {
    StatusOr<std::uint64_t> intend(const StickyRecord&) override { return invalid_argument("not here"); }
    Status settle(std::uint64_t) override { return ok_status(); }
  };
  NoLog log;
  NetShaper shaper(log);
  std::vector<std::string> names;
  for (const auto& kind : make_fault_table(shaper)) names.emplace_back(kind->name());
  return names;
}

}  // namespace faultline::testing
