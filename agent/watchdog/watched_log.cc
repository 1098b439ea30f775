#include "agent/watchdog/watched_log.h"

#include <fcntl.h>

#include "common/log.h"

namespace faultline {

WatchedLog::WatchedLog(StickyLog& log, WatchdogCommand command) : log_(log), command_(std::move(command)) {}

WatchedLog::~WatchedLog() {
  const std::lock_guard lock(mutex_);
  if (process_) process_->finish();
}

Status WatchedLog::replace() {
  process_.reset();
  FL_ASSIGN_OR_RETURN(auto process, WatchdogProcess::start(command_));
  for (const auto& [id, open] : open_) FL_RETURN_IF_ERROR(process->hold(id, open.will));
  process_ = std::move(process);
  return ok_status();
}

Status WatchedLog::hold(std::uint64_t id, const StickyWill& will) {
  if (process_) {
    const Status held = process_->hold(id, will);
    if (held.code() != StatusCode::kUnavailable) return held;
    spdlog::error("event=watchdog_lost pid={} reason=\"{}\"", process_->pid(), message_of(held));
  }
  FL_RETURN_IF_ERROR(replace());
  return process_->hold(id, will);
}

StatusOr<std::uint64_t> WatchedLog::intend(const StickyRecord& record) {
  const std::lock_guard lock(mutex_);
  if (record.will.action == StickyWill::Action::kNothing) return log_.intend(record);
  Open open{.will = record.will, .fd = UniqueFd(::fcntl(record.will.fd, F_DUPFD_CLOEXEC, 0))};
  if (!open.fd.valid()) return errno_status(errno, "keep the descriptor of a will");
  open.will.fd = open.fd.get();
  const std::uint64_t id = next_++;
  FL_RETURN_IF_ERROR(hold(id, open.will));
  // The will first: it can be taken back without a disk.
  auto entry = log_.intend(record);
  if (entry.ok()) {
    open_.emplace(id, std::move(open));
    wills_.emplace(*entry, id);
  } else if (Status withdrawn = process_->withdraw(id); !withdrawn.ok()) {
    process_.reset();  // with the will; check() gets another one
  }
  return entry;
}

Status WatchedLog::settle(std::uint64_t entry) {
  const std::lock_guard lock(mutex_);
  if (const auto found = wills_.find(entry); found != wills_.end()) {
    // The state is gone, whatever becomes of the record: carried out now, the will would hit somebody else's.
    open_.erase(found->second);
    if (process_ && !process_->withdraw(found->second).ok()) process_.reset();
    wills_.erase(found);
  }
  return log_.settle(entry);
}

pid_t WatchedLog::watchdog() const {
  const std::lock_guard lock(mutex_);
  return process_ ? process_->pid() : -1;
}

void WatchedLog::check() {
  constexpr Nanos kPause = std::chrono::seconds(1);
  const std::lock_guard lock(mutex_);
  if ((process_ && process_->alive()) || mono_now() < next_try_) return;
  if (process_) spdlog::error("event=watchdog_lost pid={} open_wills={}", process_->pid(), open_.size());
  next_try_ = mono_now() + kPause;
  if (Status status = replace(); !status.ok()) {
    spdlog::error("event=no_watchdog reason=\"{}\"", message_of(status));
  }
}

}  // namespace faultline
