// One io_uring, for one thread: sockets in a registered table, each at a slot, and everything that is asked
// of them goes to the kernel in one system call, which also waits. Owns the sockets in the table and the
// buffers that they receive into. Minimum kernel: 5.19 (provided buffer rings); 6.0 saves asking for each
// receive anew, 6.1 interrupts (DEFER_TASKRUN): features() says what there is. Source: io_uring(7), liburing.
#pragma once

#include <liburing.h>
#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace faultline {

// Which socket something was asked of: a slot is used again, so each use has another generation, and what was
// asked of an earlier one is known by that.
struct Socket {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // 24 bits count
  friend auto operator<=>(const Socket&, const Socket&) = default;
};

struct RingFeatures {
  bool deferred = false;   // work is done when the thread asks for it, not by interrupting it
  bool multishot = false;  // one request receives again and again
};

class Ring {
 public:
  enum class What : std::uint8_t { kConnected, kSent, kReceived };
  struct Event {
    What what;
    Socket socket;
    int result = 0;               // 0 or bytes; negative: -errno. kReceived with 0: closed by the other side
    std::string_view bytes = {};  // of kReceived; until the handler returns
  };
  using Handler = std::function<void(const Event&)>;

  // For the thread that calls it. FailedPrecondition: the kernel has no io_uring, or too old a one, or
  // forbids it.
  static StatusOr<std::unique_ptr<Ring>> make(std::uint32_t slots);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  const RingFeatures& features() const { return features_; }

  // Takes the socket to its slot; whatever was there is dropped, with all that was asked of it.
  Status put(Socket socket, UniqueFd fd);
  Status drop(std::uint32_t slot);

  // Asks; done at the next wait(). What is passed must stay as it is until the event.
  void connect(Socket socket, const sockaddr* address, socklen_t size);
  void send(Socket socket, std::string_view bytes);
  // From now on, until the socket is closed or fails; each part is an event.
  void receive(Socket socket);

  // Tells the kernel, waits until something has happened or it is `until`, and handles all that has. A time
  // that has passed: does not wait. An error is the ring's own, and it is of no further use.
  Status wait(std::optional<MonoTime> until, const Handler& handler);

 private:
  Ring() = default;
  Status set_up(std::uint32_t slots);
  io_uring_sqe* next();
  void give_back(std::uint16_t buffer);
  void handle(const io_uring_cqe& cqe, const Handler& handler);

  io_uring ring_{};
  bool made_ = false;
  RingFeatures features_;
  io_uring_buf_ring* buffers_ = nullptr;
  std::vector<char> memory_;
  std::uint32_t buffer_count_ = 0;
  int given_back_ = 0;
  std::vector<std::uint32_t> in_use_;  // by slot: the generation that is there
  std::vector<Socket> starved_;        // to receive again when buffers are back
};

}  // namespace faultline
