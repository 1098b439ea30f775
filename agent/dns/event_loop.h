// A loop over descriptors and timers for one thread. Everything but post() and stop() belongs to the thread
// that runs it (or to whoever prepares it before). Handlers must not throw.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace faultline {

class EventLoop {
 public:
  using Handler = std::function<void(std::uint32_t events)>;
  using Timer = std::pair<MonoTime, std::uint64_t>;

  static StatusOr<std::unique_ptr<EventLoop>> make();

  // `events` as for epoll, level-triggered. The descriptor must be forgotten before it is closed.
  Status watch(int fd, std::uint32_t events, Handler handler);
  void change(int fd, std::uint32_t events);
  void forget(int fd);

  Timer at(MonoTime when, std::function<void()> f);
  void cancel(const Timer& timer) { timers_.erase(timer); }

  // Runs until stop(). Once.
  void run();
  void post(std::function<void()> f);
  void stop();

 private:
  struct Watch {
    std::uint64_t number = 0;  // so that an event for a descriptor that was closed meanwhile is told
    std::shared_ptr<Handler> handler;
  };

  EventLoop(UniqueFd epoll, UniqueFd wake) : epoll_(std::move(epoll)), wake_(std::move(wake)) {}
  int next_wait_ms() const;
  void run_posted();
  void run_timers();

  UniqueFd epoll_, wake_;
  std::map<int, Watch> watches_;
  std::map<Timer, std::function<void()>> timers_;
  std::uint64_t next_ = 1;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  bool stopping_ = false;
};

}  // namespace faultline
