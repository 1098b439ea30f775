// What the shaping kinds have in common. A kind gives its spec's filter, how netem shapes, and what it
// measures.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/fault/fault.h"
#include "agent/faults/net_shaper.h"

namespace faultline {

class ShapingKind : public FaultKind {
 public:
  explicit ShapingKind(NetShaper& shaper) : shaper_(shaper) {}

  std::string_view mechanism() const override { return "cgroup_skb/egress steers, prio/netem shapes"; }
  Status supported() override { return shaper_.supported(); }
  Status check(const v1::FaultSpec& spec) const override;
  StatusOr<std::vector<std::string>> plan(const FaultRequest& request) override;
  StatusOr<std::unique_ptr<Fault>> apply(const FaultRequest& request) override;
  StatusOr<std::vector<StateItem>> snapshot(const Target& target) override {
    return shaper_.snapshot(target);
  }
  std::vector<std::string> owned(const Target& target) override { return shaper_.owned(target); }

 protected:
  // The values of this kind's own message; the filter is checked here already.
  virtual Status check_values(const v1::FaultSpec& spec) const = 0;
  virtual const v1::NetworkFilter& filter(const v1::FaultSpec& spec) const = 0;
  // Everything but match and deadline; only called with a spec that check() accepts.
  virtual ShapeRequest shaping(const v1::FaultSpec& spec) const = 0;
  // One line for people: "each packet waits 200 ms +- 20 ms".
  virtual std::string effect(const v1::FaultSpec& spec) const = 0;
  virtual std::vector<v1::Achieved> achieved(const v1::FaultSpec& spec,
                                             const ShapedTraffic& traffic) const = 0;

 private:
  class InForce;
  NetShaper& shaper_;
};

}  // namespace faultline
