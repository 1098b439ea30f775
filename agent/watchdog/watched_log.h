// A log of sticky state whose wills are with a watchdog as long as they are open. Should the watchdog end
// before us, it is replaced and told everything again; until then, nothing new can be intended.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "agent/fault/sticky.h"
#include "agent/watchdog/process.h"
#include "common/clock.h"

namespace faultline {

class WatchedLog : public StickyLog {
 public:
  // `log` must outlive it. The watchdog starts with the first call of check() or intend().
  WatchedLog(StickyLog& log, WatchdogCommand command);
  ~WatchedLog() override;  // wills that are still open are carried out

  // The watchdog has the will and the log the record, or there is an error and neither has. Unavailable when
  // no watchdog can be had.
  StatusOr<std::uint64_t> intend(const StickyRecord& record) override;
  Status settle(std::uint64_t entry) override;

  // Starts a watchdog where there is none, or none any more. Call often.
  void check();
  pid_t watchdog() const;  // -1: there is none

 private:
  struct Open {
    StickyWill will;  // its descriptor is `fd`
    UniqueFd fd;
  };
  // All of these expect the lock to be held.
  Status hold(std::uint64_t id, const StickyWill& will);
  Status replace();

  StickyLog& log_;
  const WatchdogCommand command_;
  mutable std::mutex mutex_;
  std::unique_ptr<WatchdogProcess> process_;      // null: none could be had
  std::map<std::uint64_t, Open> open_;            // by will
  std::map<std::uint64_t, std::uint64_t> wills_;  // of the log's entries
  std::uint64_t next_ = 1;
  MonoTime next_try_;
};

}  // namespace faultline
