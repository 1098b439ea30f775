#include "agent/dns/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace faultline {
namespace {

// A descriptor (31 bits) and the low half of its watch's number in one word.
std::uint64_t token_of(int fd, std::uint64_t number) {
  return number << 32 | static_cast<std::uint32_t>(fd);
}

}  // namespace

StatusOr<std::unique_ptr<EventLoop>> EventLoop::make() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll.valid() || !wake.valid()) return errno_status(errno, "make an event loop");
  const int wake_fd = wake.get();
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(epoll), std::move(wake)));
  FL_RETURN_IF_ERROR(loop->watch(wake_fd, EPOLLIN, [wake_fd](std::uint32_t) {
    std::uint64_t count = 0;
    (void)!::read(wake_fd, &count, sizeof count);
  }));
  return loop;
}

Status EventLoop::watch(int fd, std::uint32_t events, Handler handler) {
  Watch& watch = watches_[fd];
  watch.number = next_++;
  watch.handler = std::make_shared<Handler>(std::move(handler));
  epoll_event event{.events = events, .data = {.u64 = token_of(fd, watch.number)}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return ok_status();
  const int error = errno;
  watches_.erase(fd);
  return errno_status(error, "watch a descriptor");
}

void EventLoop::change(int fd, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.u64 = token_of(fd, watches_.at(fd).number)}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::forget(int fd) {
  if (watches_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::Timer EventLoop::at(MonoTime when, std::function<void()> f) {
  const Timer timer(when, next_++);
  timers_.emplace(timer, std::move(f));
  return timer;
}

int EventLoop::next_wait_ms() const {
  if (timers_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first.first - mono_now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void EventLoop::run_timers() {
  const MonoTime now = mono_now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    const auto f = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    f();
  }
}

void EventLoop::run_posted() {
  std::vector<std::function<void()>> posted;
  {
    const std::lock_guard lock(mutex_);
    posted.swap(posted_);
  }
  for (const auto& f : posted) f();
}

void EventLoop::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), next_wait_ms());
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const auto found = watches_.find(static_cast<int>(event.data.u64 & 0xffffffffu));
      if (found == watches_.end() || token_of(found->first, found->second.number) != event.data.u64) continue;
      const auto handler = found->second.handler;  // it may forget itself
      (*handler)(event.events);
    }
    run_timers();
    run_posted();
  }
}

void EventLoop::post(std::function<void()> f) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(f));
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void EventLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

}  // namespace faultline
