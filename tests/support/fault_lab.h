// The network lab with an agent's engine on it, in the test's own process: what kernel tests of faults start
// from.
#pragma once

#include <google/protobuf/util/time_util.h>

#include <memory>
#include <string>
#include <thread>

#include "agent/engine/engine.h"
#include "agent/engine/journal.h"
#include "agent/faults/exemptions.h"
#include "agent/faults/table.h"
#include "agent/target/target.h"
#include "tests/support/net_lab.h"
#include "tests/support/temp_dir.h"

namespace faultline::testing {

inline google::protobuf::Duration duration(Nanos t) {
  return google::protobuf::util::TimeUtil::NanosecondsToDuration(t.count());
}

// One for all tests of a binary, as for all of an agent's life.
inline NetSupport& shared_support() {
  static NetSupport support;
  return support;
}

class FaultLab {
 public:
  FaultLab()
      : journal(Journal::open(state.path()).value()),
        targets(TargetResolver::make({}).value()),
        peers(targets),
        traffic(*journal, shared_support(), peers, make_exemptions(usual_exemptions(), "").value()),
        kinds(make_fault_table(traffic, peers)),
        engine(targets, kinds) {}

  v1::ApplyRequest request(const v1::FaultSpec& spec, const std::string& id = "f",
                           Nanos lasting = std::chrono::seconds(60)) const {
    v1::ApplyRequest request;
    request.set_id(id);
    request.set_target(net.target_ref());
    *request.mutable_spec() = spec;
    *request.mutable_duration() = duration(lasting);
    return request;
  }

  v1::FaultStatus revert(const std::string& id = "f") {
    v1::RevertRequest request;
    request.add_ids(id);
    return engine.revert(request).value().faults(0);
  }

  v1::FaultStatus status(const std::string& id = "f") const {
    for (const auto& fault : engine.list()) {
      if (fault.id() == id) return fault;
    }
    return {};
  }

  NetLab& net = shared_net_lab();
  TempDir state;
  std::unique_ptr<Journal> journal;
  TargetResolver targets;
  PeerLookup peers;
  NetTraffic traffic;
  FaultTable kinds;
  Engine engine;
};

inline v1::FaultSpec delay_spec(Nanos latency, Nanos jitter = {}, const std::string& peer = kPeer) {
  v1::FaultSpec spec;
  *spec.mutable_delay()->mutable_latency() = duration(latency);
  *spec.mutable_delay()->mutable_jitter() = duration(jitter);
  if (!peer.empty()) spec.mutable_delay()->mutable_traffic()->add_peers(peer);
  return spec;
}

inline v1::FaultSpec loss_spec(double probability, std::uint64_t seed = 1, const std::string& peer = kPeer) {
  v1::FaultSpec spec;
  spec.mutable_loss()->mutable_packets()->set_probability(probability);
  spec.set_seed(seed);
  if (!peer.empty()) spec.mutable_loss()->mutable_traffic()->add_peers(peer);
  return spec;
}

inline v1::FaultSpec dns_spec(v1::DnsAnswer answer, const std::string& name) {
  v1::FaultSpec spec;
  spec.mutable_dns()->set_answer(answer);
  spec.mutable_dns()->add_names(name);
  return spec;
}

inline v1::FaultSpec reset_spec(Nanos every, const std::string& peer = kPeer) {
  v1::FaultSpec spec;
  spec.mutable_reset();
  if (every > Nanos::zero()) *spec.mutable_reset()->mutable_every() = duration(every);
  if (!peer.empty()) spec.mutable_reset()->mutable_traffic()->add_peers(peer);
  return spec;
}

}  // namespace faultline::testing
