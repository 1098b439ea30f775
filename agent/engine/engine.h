// The agent's heart: which faults are in force, until when, and what became of them. Knows nothing of gRPC,
// BPF or netlink. Threads: any, for every member.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/fault/fault.h"
#include "agent/target/target.h"
#include "common/clock.h"
#include "common/status.h"
#include "faultline/v1/agent.pb.h"

namespace faultline {

struct EngineOptions {
  Nanos max_duration = std::chrono::hours(1);
  Nanos max_lease = std::chrono::minutes(1);
  std::size_t remembered = 256;  // ended faults that list() still tells of
  // Where something was left of a fault, it is tried again after this, then after twice as long, and so on;
  // in all so often, over some ten minutes. Then it is left to the next agent's sweep.
  Nanos look_every = std::chrono::seconds(1);  // whether faults still stand
  Nanos retry_after = std::chrono::seconds(1);
  int retries = 14;
};

class Engine {
 public:
  // Both must outlive the engine.
  Engine(const TargetResolver& targets, std::vector<std::unique_ptr<FaultKind>>& kinds,
         EngineOptions options = {});
  ~Engine();  // reverts what is still in force

  v1::CapabilitiesResponse capabilities();
  StatusOr<v1::ApplyResponse> apply(const v1::ApplyRequest& request);
  StatusOr<v1::RenewResponse> renew(const v1::RenewRequest& request);
  StatusOr<v1::RevertResponse> revert(const v1::RevertRequest& request);
  std::vector<v1::FaultStatus> list() const;

  // Ends the faults whose deadline has come or whose target has gone, and tries again to remove what others
  // left. Call often (every 20 ms or so): the kernel has ended the effect on time by itself; this takes the
  // rest away.
  void tick();
  void end_all(v1::EndReason reason, const std::string& detail);

 private:
  struct Entry;
  using EntryPtr = std::shared_ptr<Entry>;

  StatusOr<FaultKind*> kind_of(const v1::FaultSpec& spec) const;
  StatusOr<v1::FaultStatus> put_in_force(const v1::ApplyRequest& request, FaultKind& kind, Target target,
                                         MonoTime start);
  std::vector<EntryPtr> claim(const std::vector<EntryPtr>& candidates, v1::EndReason reason,
                              const std::string& detail);
  void finish(const std::vector<EntryPtr>& claimed);
  void retry();
  EntryPtr find(const std::string& id) const;  // expects the lock

  const TargetResolver& targets_;
  std::vector<std::unique_ptr<FaultKind>>& kinds_;
  const EngineOptions options_;

  std::mutex apply_mutex_;           // one apply at a time
  mutable std::mutex mutex_;         // guards entries_ and every entry's fields
  MonoTime looked_;                  // when faults were last asked whether they stand
  std::condition_variable changed_;  // a fault has finished, or an apply is through
  std::string applying_;             // id of the fault that is being applied; empty: none
  std::deque<EntryPtr> entries_;     // oldest first
};

}  // namespace faultline
