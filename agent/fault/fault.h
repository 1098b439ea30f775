// The two things every fault is made of: the fault in force (an object: made, it injects; destroyed, it
// reverts) and its kind (one row of the explicit table in agent/faults/table.h). docs/adding-a-fault.md shows
// how to add one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/fault/state_item.h"
#include "agent/target/target.h"
#include "common/clock.h"
#include "common/status.h"
#include "faultline/v1/agent.pb.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

// A fault in force. set_deadline, counters, achieved and standing may be called from several threads, but never beside
// or after revert. revert is called again, now and then, where it failed.
class Fault {
 public:
  virtual ~Fault() = default;  // reverts what revert() has not

  // The kernel stops injecting at this time by itself. In force at once.
  virtual void set_deadline(MonoTime deadline) = 0;
  virtual v1::Counters counters() const = 0;
  virtual std::vector<v1::Achieved> achieved() const = 0;

  // Whether what it stands on in the target is still there; if not, why it can have no effect any more.
  virtual Status standing() { return ok_status(); }

  // Ends the effect, in the kernel, at once.
  virtual void stop() = 0;
  // Then takes everything away. The target having vanished meanwhile is no error. After an error: takes away
  // what is still there.
  virtual Status revert() = 0;
};

struct FaultRequest {
  const v1::FaultSpec& spec;
  const Target& target;
  MonoTime start;  // in the past: at once
  MonoTime deadline;
};

// One kind of fault. Threads: one call of apply at a time; the others any.
class FaultKind {
 public:
  virtual ~FaultKind() = default;

  virtual v1::FaultSpec::KindCase which() const = 0;
  virtual std::string_view name() const = 0;  // of the field in FaultSpec's oneof
  virtual std::string_view mechanism() const = 0;
  // Asks the running kernel. Unimplemented, with the reason, when it cannot.
  virtual Status supported() = 0;
  // What it cannot do on the running kernel although it is supported, for people: a clause each, without a
  // semicolon. One that other releases of the same kernel series may not have begins with "in this release"
  // and is left out of docs/kernel-support.md. Asked only where supported.
  virtual std::vector<std::string> limits() { return {}; }
  // Pure: InvalidArgument when the spec's values make no sense.
  virtual Status check(const v1::FaultSpec& spec) const = 0;
  // Everything apply would do, a line each, after every read it would make; changes nothing. Fails as apply
  // would.
  virtual StatusOr<std::vector<std::string>> plan(const FaultRequest& request) = 0;
  // In force on return; on an error nothing is left.
  virtual StatusOr<std::unique_ptr<Fault>> apply(const FaultRequest& request) = 0;
  // The target's kernel state as far as faults of this kind can change it.
  virtual StatusOr<std::vector<StateItem>> snapshot(const Target& target) = 0;
  // Texts of the items of ours that faults in force on the target still need.
  virtual std::vector<std::string> owned(const Target& target) = 0;
};

}  // namespace faultline
