// A kind of fault in memory, for the engine's tests: it keeps the state that its faults make, says in which
// order things happened to them, and fails where a test asks for it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "agent/fault/fault.h"

namespace faultline::testing {

class FakeKind final : public FaultKind {
 public:
  explicit FakeKind(v1::FaultSpec::KindCase which = v1::FaultSpec::kDelay, std::string name = "delay")
      : which_(which), name_(std::move(name)) {}

  v1::FaultSpec::KindCase which() const override { return which_; }
  std::string_view name() const override { return name_; }
  std::string_view mechanism() const override { return "in memory"; }
  Status supported() override { return unsupported; }
  std::vector<std::string> limits() override { return {"only a fake"}; }
  Status check(const v1::FaultSpec&) const override { return bad_values; }
  StatusOr<std::vector<std::string>> plan(const FaultRequest& request) override;
  StatusOr<std::unique_ptr<Fault>> apply(const FaultRequest& request) override;
  StatusOr<std::vector<StateItem>> snapshot(const Target& target) override;
  std::vector<std::string> owned(const Target& target) override;

  // Trouble. Set before the engine's calls.
  Status unsupported, bad_values, no_plan, no_apply;
  std::vector<Status> snapshots;           // answers of the next snapshots; then they work
  std::atomic<int> short_snapshots = 0;    // so many of the next lack what is somebody's own
  Status fallen;                           // what the faults in force say of their standing
  Status no_revert;                        // the state stays
  std::atomic<bool> leaves_state = false;  // revert says OK and leaves its state nevertheless
  std::function<void()> during_revert;     // runs in revert, before anything is taken away

  // When the fault was asked to start.
  MonoTime start(int fault) const;
  // What happened. Faults are counted from 1 in the order of their applies.
  std::vector<std::string> events() const;  // "apply 1", "stop 1", "revert 1", "gone 1"
  // The apply's own, the one counted from its end, then those of the renewals.
  std::vector<MonoTime> deadlines(int fault) const;
  std::size_t in_force() const;
  std::size_t applied() const;
  std::size_t rule_breaks() const { return rule_breaks_; }  // calls that the contract of Fault rules out

 private:
  class InForce;
  void note(const std::string& event);  // expects the lock

  const v1::FaultSpec::KindCase which_;
  const std::string name_;
  mutable std::mutex mutex_;
  int last_ = 0;
  std::map<int, bool> state_;  // of each fault whose state is there: whether it is still needed
  std::map<int, std::vector<MonoTime>> deadlines_;
  std::map<int, MonoTime> starts_;
  std::vector<std::string> events_;
  std::atomic<std::size_t> in_force_ = 0;
  std::atomic<std::size_t> rule_breaks_ = 0;
};

}  // namespace faultline::testing
