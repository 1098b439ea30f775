#include "loadgen/engine/ring.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace faultline {
namespace {

constexpr std::uint16_t kBufferGroup = 0;
constexpr std::uint32_t kBufferSize = 16 * 1024;
constexpr std::uint64_t kIgnored = ~0ull;

std::uint64_t tag(Ring::What what, Socket socket) {
  return static_cast<std::uint64_t>(what) << 56 |
         static_cast<std::uint64_t>(socket.generation & 0xffffff) << 32 | socket.slot;
}

int set_up_ring(io_uring& ring, unsigned entries, unsigned flags) {
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE | flags;
  params.cq_entries = 4 * entries;
  return io_uring_queue_init_params(entries, &ring, &params);
}

}  // namespace

StatusOr<std::unique_ptr<Ring>> Ring::make(std::uint32_t slots) {
  std::unique_ptr<Ring> ring(new Ring);
  FL_RETURN_IF_ERROR(ring->set_up(slots));
  return ring;
}

Status Ring::set_up(std::uint32_t slots) {
  const unsigned entries = std::bit_ceil(std::clamp(slots * 2, 64u, 8192u));
  constexpr unsigned kChoices[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
                                   IORING_SETUP_COOP_TASKRUN, 0};
  int error = 0;
  for (const unsigned flags : kChoices) {
    error = -set_up_ring(ring_, entries, flags);
    features_.deferred = error == 0 && (flags & IORING_SETUP_DEFER_TASKRUN);
    if (error != EINVAL) break;
  }
  if (error != 0) {
    return make_error(StatusCode::kFailedPrecondition, "the kernel gives no io_uring: {}",
                      std::strerror(error));
  }
  made_ = true;
  in_use_.resize(slots);
  if (error = -io_uring_register_files_sparse(&ring_, slots); error != 0) {
    return errno_status(error, "io_uring: register a table of sockets");
  }
  // Twice as many as sockets, so that those which have just been filled do not stop the others.
  buffer_count_ = std::bit_ceil(std::clamp(slots * 2, 16u, 16384u));
  memory_.resize(std::size_t{buffer_count_} * kBufferSize);
  void* shared = nullptr;
  if (::posix_memalign(&shared, 4096, buffer_count_ * sizeof(io_uring_buf)) != 0) {
    return errno_status(ENOMEM, "io_uring: buffers");
  }
  buffers_ = static_cast<io_uring_buf_ring*>(shared);
  io_uring_buf_ring_init(buffers_);
  io_uring_buf_reg reg{};
  reg.ring_addr = reinterpret_cast<std::uint64_t>(shared);
  reg.ring_entries = buffer_count_;
  reg.bgid = kBufferGroup;
  if (error = -io_uring_register_buf_ring(&ring_, &reg, 0); error != 0) {
    return make_error(StatusCode::kFailedPrecondition,
                      "io_uring: no provided buffers (Linux 5.19 has them): {}", std::strerror(error));
  }
  for (std::uint32_t i = 0; i < buffer_count_; ++i) give_back(static_cast<std::uint16_t>(i));
  io_uring_buf_ring_advance(buffers_, std::exchange(given_back_, 0));
  // Of the same version as SEND_ZC, which can be asked for.
  io_uring_probe* const probe = io_uring_get_probe_ring(&ring_);
  features_.multishot = probe && io_uring_opcode_supported(probe, IORING_OP_SEND_ZC);
  io_uring_free_probe(probe);
  return ok_status();
}

Ring::~Ring() {
  if (made_) io_uring_queue_exit(&ring_);
  std::free(buffers_);
}

io_uring_sqe* Ring::next() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (!sqe) {
    io_uring_submit(&ring_);
    sqe = io_uring_get_sqe(&ring_);
  }
  return sqe;
}

Status Ring::put(Socket socket, UniqueFd fd) {
  FL_RETURN_IF_ERROR(drop(socket.slot));
  in_use_[socket.slot] = socket.generation & 0xffffff;
  int raw = fd.get();
  const int done = io_uring_register_files_update(&ring_, socket.slot, &raw, 1);
  return done < 0 ? errno_status(-done, "io_uring: register a socket") : ok_status();
}

Status Ring::drop(std::uint32_t slot) {
  io_uring_sqe* const sqe = next();
  io_uring_prep_cancel_fd(sqe, static_cast<int>(slot),
                          IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_ALL);
  io_uring_sqe_set_data64(sqe, kIgnored);
  // Now, while the slot still means the old socket.
  if (const int done = io_uring_submit(&ring_); done < 0) return errno_status(-done, "io_uring: submit");
  int none = -1;
  const int done = io_uring_register_files_update(&ring_, slot, &none, 1);
  return done < 0 ? errno_status(-done, "io_uring: drop a socket") : ok_status();
}

void Ring::connect(Socket socket, const sockaddr* address, socklen_t size) {
  io_uring_sqe* const sqe = next();
  io_uring_prep_connect(sqe, static_cast<int>(socket.slot), address, size);
  sqe->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data64(sqe, tag(What::kConnected, socket));
}

void Ring::send(Socket socket, std::string_view bytes) {
  io_uring_sqe* const sqe = next();
  io_uring_prep_send(sqe, static_cast<int>(socket.slot), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  sqe->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data64(sqe, tag(What::kSent, socket));
}

void Ring::receive(Socket socket) {
  io_uring_sqe* const sqe = next();
  if (features_.multishot)
    io_uring_prep_recv_multishot(sqe, static_cast<int>(socket.slot), nullptr, 0, 0);
  else
    io_uring_prep_recv(sqe, static_cast<int>(socket.slot), nullptr, kBufferSize, 0);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  sqe->buf_group = kBufferGroup;
  io_uring_sqe_set_data64(sqe, tag(What::kReceived, socket));
}

void Ring::give_back(std::uint16_t buffer) {
  io_uring_buf_ring_add(buffers_, memory_.data() + std::size_t{buffer} * kBufferSize, kBufferSize, buffer,
                        io_uring_buf_ring_mask(buffer_count_), given_back_++);
}

void Ring::handle(const io_uring_cqe& cqe, const Handler& handler) {
  const std::uint64_t data = cqe.user_data;
  if (data == kIgnored) return;
  const Socket socket{static_cast<std::uint32_t>(data), static_cast<std::uint32_t>(data >> 32) & 0xffffff};
  Event event{.what = static_cast<What>(data >> 56), .socket = socket, .result = cqe.res};
  if (event.what != What::kReceived) return handler(event);
  // No buffer was free: not the connection's fault.
  if (cqe.res == -ENOBUFS) {
    starved_.push_back(socket);
    return;
  }
  const bool filled = cqe.flags & IORING_CQE_F_BUFFER;
  const auto buffer = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
  if (filled && cqe.res > 0) {
    event.bytes = {memory_.data() + std::size_t{buffer} * kBufferSize, static_cast<std::size_t>(cqe.res)};
    // The request has ended although the socket has not: single, or the kernel's own doing.
    if (!(cqe.flags & IORING_CQE_F_MORE)) starved_.push_back(socket);
  }
  handler(event);
  if (filled) give_back(buffer);
}

Status Ring::wait(std::optional<MonoTime> until, const Handler& handler) {
  int done = 0;
  const MonoTime now = until ? mono_now() : MonoTime{};
  if (until && *until <= now) {
    done = io_uring_submit_and_get_events(&ring_);
  } else {
    __kernel_timespec time{};
    if (until) {
      const Nanos left = *until - now;
      time.tv_sec = left.count() / 1'000'000'000;
      time.tv_nsec = left.count() % 1'000'000'000;
    }
    io_uring_cqe* first = nullptr;
    done = io_uring_submit_and_wait_timeout(&ring_, &first, 1, until ? &time : nullptr, nullptr);
  }
  if (done < 0 && done != -ETIME && done != -EINTR && done != -EBUSY && done != -EAGAIN) {
    return errno_status(-done, "io_uring: wait");
  }
  io_uring_cqe* cqe = nullptr;
  unsigned head = 0, seen = 0;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    handle(*cqe, handler);
    ++seen;
  }
  io_uring_cq_advance(&ring_, seen);
  if (given_back_ > 0) io_uring_buf_ring_advance(buffers_, std::exchange(given_back_, 0));
  for (const Socket socket : std::exchange(starved_, {})) {
    if (in_use_[socket.slot] == socket.generation) receive(socket);
  }
  return ok_status();
}

}  // namespace faultline
