// One thread's share of a load: its connections, its part of the schedule, its counts. Connections are kept
// full by the schedule (open loop) or by their own answers (closed loop); nothing here waits for anything but
// the ring. Made, run and destroyed by one thread; stop() from any.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "loadgen/engine/exchange.h"
#include "loadgen/engine/ring.h"
#include "loadgen/engine/schedule.h"
#include "loadgen/engine/tally.h"

namespace faultline {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

struct WorkerOptions {
  Address to;
  std::uint32_t connections = 1;
  unsigned depth = 1;                // requests outstanding on one connection
  std::optional<Arrivals> arrivals;  // none: closed loop, each connection asks anew when it is answered
  Nanos length{};                    // of the load; what is outstanding then has `timeout` more
  Nanos timeout = std::chrono::seconds(10);
  Nanos connect_timeout = std::chrono::seconds(3);
  std::size_t most_waiting = 65536;  // requests that are due and have no connection; further ones are shed
  int digits = 3;                    // of the histograms
};

class Worker {
 public:
  using MakeExchange = std::function<std::unique_ptr<Exchange>()>;
  static StatusOr<std::unique_ptr<Worker>> make(WorkerOptions options, const MakeExchange& make_exchange);

  // Connects, sends from `start` on, and returns when the load is over and what was outstanding is answered
  // or timed out. Not OK: the ring failed; what was counted so far holds.
  // `stop` ends it early; it is looked at ten times a second.
  Status run(MonoTime start, const std::atomic<bool>& stop);

  const Tally& tally() const { return tally_; }
  const RingFeatures& features() const { return ring_->features(); }

 private:
  struct Flight {
    MonoTime intended, sent;
  };
  enum class State { kDown, kConnecting, kUp };
  struct Link {
    State state = State::kDown;
    std::uint32_t generation = 0;
    std::unique_ptr<Exchange> exchange;
    std::string out;      // to be sent next
    std::string sending;  // the kernel has it
    std::size_t sent = 0;
    bool dirty = false, ready = false;
    std::deque<Flight> flights;
    std::uint64_t answered = 0;
    MonoTime connect_began;
    unsigned failed_connects = 0;  // in a row
  };
  struct Deadline {
    MonoTime at;
    Socket socket;
    std::uint64_t answered;  // of the link, when the request in question would be the next to be answered
  };
  struct Later {
    bool operator()(const Deadline& a, const Deadline& b) const { return a.at > b.at; }
  };

  Worker(WorkerOptions options, std::unique_ptr<Ring> ring)
      : options_(std::move(options)), ring_(std::move(ring)), tally_(options_.digits) {}

  Status step();
  void take_due();
  std::optional<std::uint32_t> take_ready();
  void send_on(std::uint32_t slot, MonoTime intended);
  void use(std::uint32_t slot);
  void flush();
  void expire();
  std::optional<MonoTime> next_time() const;
  bool asks_no_more() const;
  bool is_over() const;

  Status connect(std::uint32_t slot);
  void reconnect_later(std::uint32_t slot);
  void fail(std::uint32_t slot, Failure first, Failure others = Failure::kClosedUnanswered);
  void handle(const Ring::Event& event);
  void on_connected(std::uint32_t slot, int result);
  void on_sent(std::uint32_t slot, int result);
  void on_received(std::uint32_t slot, const Ring::Event& event);
  void on_answer(std::uint32_t slot, const Answer& answer);

  WorkerOptions options_;
  std::unique_ptr<Ring> ring_;
  Tally tally_;
  bool stopping_ = false;
  MonoTime start_, end_, now_;
  bool now_is_old_ = true;
  Status failure_;
  std::vector<Link> links_;
  std::deque<std::uint32_t> ready_;   // slots that may be asked; some no more
  std::vector<std::uint32_t> dirty_;  // slots with something to send
  std::deque<MonoTime> waiting_;      // intended times of requests without a connection
  std::deque<Deadline> requests_due_, connects_due_;
  std::priority_queue<Deadline, std::vector<Deadline>, Later> reconnects_;
  std::map<Socket, std::string> abandoned_;  // the kernel may still read from it
  std::uint64_t in_flight_ = 0;
  std::uint64_t chance_ = 0x6c6f6164;
};

}  // namespace faultline
