// One example of every kind of fault in the agent's table, and how to see that it bites: for the tests that
// every kind must pass. A kind without an example here fails them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
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

// Many small datagrams are more than the bandwidth takes.
inline bool throttles_udp(LabProcess& who, const char* peer) {
  return NetLab::udp(who, peer, kPort, 100, 500, 1000).loss() > 0.3;
}

inline bool sends_udp_twice(LabProcess& who, const char* peer) {
  const UdpResult result = NetLab::udp(who, peer, kPort, 9, 2000, 1000);
  return result.received > result.sent;
}

inline bool refuses_udp(LabProcess& who, const char* peer) {
  return NetLab::udp(who, peer, kPort, 9, 2000, 500).refused > 4;
}

inline bool fails_to_connect(LabProcess& who, const char* peer) {
  return NetLab::tcp_connect_ms(who, peer, kPort) < 0;
}

// Of a kind whose message has `traffic`.
template <typename Message>
v1::FaultSpec towards_peer(Message* (v1::FaultSpec::*kind)(),
                           const std::function<void(Message&)>& fill = {}) {
  v1::FaultSpec spec;
  Message& message = *(spec.*kind)();
  message.mutable_traffic()->add_peers(kPeer);
  if (fill) fill(message);
  return spec;
}

inline const std::map<std::string, FaultExample>& fault_examples() {
  using Spec = v1::FaultSpec;
  const auto always = [](auto& message) { message.mutable_packets()->set_probability(1.0); };
  static const std::map<std::string, FaultExample> examples = {
      {"delay", {.spec = delay_spec(std::chrono::milliseconds(300)), .bites = harms_udp, .qdiscs = true}},
      {"dns", {.spec = dns_spec(v1::DNS_ANSWER_NXDOMAIN, "*.faulted.test"), .bites = harms_lookups}},
      {"loss", {.spec = loss_spec(1.0), .bites = harms_udp, .qdiscs = true}},
      {"reset", {.spec = reset_spec(std::chrono::milliseconds(200)), .bites = harms_connections}},
      {"duplicate",
       {.spec = towards_peer<v1::Duplicate>(&Spec::mutable_duplicate, always),
        .bites = sends_udp_twice,
        .qdiscs = true}},
      {"corrupt",
       {.spec = towards_peer<v1::Corrupt>(&Spec::mutable_corrupt, always),
        .bites = harms_udp,
        .qdiscs = true}},
      {"reorder",
       {.spec = towards_peer<v1::Reorder>(&Spec::mutable_reorder,
                                          [&](v1::Reorder& reorder) {
                                            always(reorder);
                                            *reorder.mutable_hold() =
                                                duration(std::chrono::milliseconds(300));
                                          }),
        .bites = harms_udp,
        .qdiscs = true}},
      {"rate",
       {.spec = towards_peer<v1::Rate>(&Spec::mutable_rate,
                                       [](v1::Rate& rate) { rate.set_bits_per_second(8000); }),
        .bites = throttles_udp,
        .qdiscs = true}},
      {"partition",
       {.spec = towards_peer<v1::Partition>(&Spec::mutable_partition), .bites = harms_udp, .qdiscs = true}},
      {"reject", {.spec = towards_peer<v1::Reject>(&Spec::mutable_reject), .bites = refuses_udp}},
      {"connect-error",
       {.spec = towards_peer<v1::ConnectError>(
            &Spec::mutable_connect_error,
            [](v1::ConnectError& connect) { connect.set_error("ECONNREFUSED"); }),
        .bites = fails_to_connect}},
  };
  return examples;
}

inline std::vector<std::string> kinds_of_the_table() {
  struct NoLog : StickyLog {
    StatusOr<std::uint64_t> intend(const StickyRecord&) override { return invalid_argument("not here"); }
    Status settle(std::uint64_t) override { return ok_status(); }
  };
  NoLog log;
  const TargetResolver targets = TargetResolver::over("/", {}).value();
  const PeerLookup lookup(targets);
  NetTraffic traffic(log, shared_support(), lookup, {});
  std::vector<std::string> names;
  for (const auto& kind : make_fault_table(traffic, lookup)) names.emplace_back(kind->name());
  return names;
}

// A kind's name as GoogleTest takes it.
inline std::string test_name(const ::testing::TestParamInfo<std::string>& kind) {
  std::string name = kind.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace faultline::testing
