// What the kinds of faults of a target's traffic have in common. A kind gives its spec's filter, what is to
// be done, and what it measures.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/fault/fault.h"
#include "agent/faults/net_traffic.h"

namespace faultline {

class TrafficKind : public FaultKind {
 public:
  explicit TrafficKind(NetTraffic& traffic) : traffic_(traffic) {}

  Status check(const v1::FaultSpec& spec) const final;
  StatusOr<std::vector<std::string>> plan(const FaultRequest& request) final;
  StatusOr<std::unique_ptr<Fault>> apply(const FaultRequest& request) final;
  StatusOr<std::vector<StateItem>> snapshot(const Target& target) final { return traffic_.snapshot(target); }
  std::vector<std::string> owned(const Target& target) final { return traffic_.owned(target); }

 protected:
  virtual const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const = 0;
  virtual v1::Direction usual_direction() const { return v1::DIRECTION_EGRESS; }
  virtual bool egress_only() const { return false; }
  // The values of this kind's own message; filter and pulse are checked already.
  virtual Status check_values(const v1::FaultSpec& spec) const = 0;
  // Of a spec that check() accepts.
  virtual TrafficAction action(const v1::FaultSpec& spec) const = 0;
  // Which of the packets are hit; null: all.
  virtual const v1::Selection* packets(const v1::FaultSpec&) const { return nullptr; }
  // One line for people: "each of them waits 200 ms".
  virtual std::string effect(const v1::FaultSpec& spec) const = 0;
  virtual std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec, TrafficFault& fault) const = 0;

  NetTraffic& traffic() const { return traffic_; }

 private:
  class InForce;
  StatusOr<TrafficRequest> to_request(const v1::FaultSpec& spec) const;
  NetTraffic& traffic_;
};

}  // namespace faultline
