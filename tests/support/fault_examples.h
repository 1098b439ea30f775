// One example of every kind of fault in the agent's table, and how to see that it bites: for the tests that
// every kind must pass. A kind without an example here fails them.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fault_lab.h"

namespace faultline::testing {

// Whether a fault that concerns kPeer (and not kOtherPeer) bites `who` in what he has to do with `peer`.
using Bites = std::function<bool(LabProcess& who, const char* peer)>;

struct FaultExample {
  v1::FaultSpec spec;
  Bites bites;
  bool qdiscs = false;  // puts qdiscs on the target's devices
};

// Datagrams get lost, or are late.
inline bool harms_udp(LabProcess& who, const char* peer) {
  const UdpResult result = NetLab::udp(who, peer, kPort, 9, 2000, 1000);
  return result.loss() > 0.5 || result.median_ms() > 150;
}

// Names are looked up wrongly: kPeer stands for a name that is concerned, kOtherPeer for one that is not.
inline bool harms_lookups(LabProcess& who, const char* peer) {
  const bool concerned = std::string_view(peer) == kPeer;
  return NetLab::dns(who, kPeer, concerned ? "db.faulted.test" : "db.other.test").first != kTrueAddress;
}

// Connections do not last.
inline bool harms_connections(LabProcess& who, const char* peer) {
  const int number = NetLab::open(who, peer, kPort);
  if (number < 0) throw std::runtime_error("no connection");
  const bool broken = who.ask(fmt::format("broken {} 700", number)) == "1";
  who.ask(fmt::format("close {}", number));
  return broken;
}

inline const std::map<std::string, FaultExample>& fault_examples() {
  static const std::map<std::string, FaultExample> examples = {
      {"delay", {.spec = delay_spec(std::chrono::milliseconds(300)), .bites = harms_udp, .qdiscs = true}},
      {"dns", {.spec = dns_spec(v1::DNS_ANSWER_NXDOMAIN, "*.faulted.test"), .bites = harms_lookups}},
      {"loss", {.spec = loss_spec(1.0), .bites = harms_udp, .qdiscs = true}},
      {"reset", {.spec = reset_spec(std::chrono::milliseconds(200)), .bites = harms_connections}},
  };
  return examples;
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
