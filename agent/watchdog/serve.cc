#include "agent/watchdog/serve.h"

#include <sys/socket.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "agent/watchdog/line.h"
#include "agent/watchdog/remove_detour.h"
#include "agent/watchdog/remove_root_qdisc.h"
#include "common/unique_fd.h"

namespace faultline {
namespace {

struct Held {
  bool used = false;
  WillMessage will;
  UniqueFd fd;
};

std::array<Held, kMaxWills> table;

int hold(const WillMessage& will, UniqueFd fd) noexcept {
  if (will.action != StickyWill::Action::kRemoveRootQdisc && will.action != StickyWill::Action::kRemoveDetour)
    return EINVAL;
  if (!fd.valid()) return EBADF;
  for (Held& held : table) {
    if (held.used) continue;
    held.will = will;
    held.fd = std::move(fd);
    held.used = true;
    return 0;
  }
  return ENOSPC;
}

void withdraw(std::uint64_t id) noexcept {
  for (Held& held : table) {
    if (!held.used || held.will.id != id) continue;
    held.fd.reset();
    held.used = false;
  }
}

struct Packet {
  ssize_t size = 0;
  WillMessage will;
  UniqueFd fd;
};

Packet receive(int socket) noexcept {
  Packet packet;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec part{.iov_base = &packet.will, .iov_len = sizeof packet.will};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  do {
    packet.size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (packet.size < 0 && errno == EINTR);
  if (packet.size <= 0) return packet;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS && header->cmsg_len >= CMSG_LEN(sizeof(int))) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    packet.fd.reset(fd);
  }
  return packet;
}

void answer(int socket, std::uint64_t id, int error) noexcept {
  const WillAnswer message{.id = id, .error = error};
  // Where the agent has gone meanwhile, the next receive says so.
  (void)::send(socket, &message, sizeof message, MSG_NOSIGNAL);
}

int carry_out(const Held& held) noexcept {
  constexpr int kTries = 20;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 50'000'000};
  int error = 0;
  for (int i = 0; i < kTries; ++i) {
    error = held.will.action == StickyWill::Action::kRemoveDetour
                ? remove_detour(held.fd.get(), held.will.ifindex, held.will.handle)
                : remove_root_qdisc(held.fd.get(), held.will.ifindex, held.will.handle);
    if (error == 0 || error == ENOENT || error == ENODEV) break;
    ::nanosleep(&kPause, nullptr);
  }
  Line line(error == 0 || error == ENOENT || error == ENODEV ? "info" : "error");
  line.text("event=will_carried_out ifindex=")
      .number(held.will.ifindex)
      .text(" errno=")
      .number(error)
      .write();
  return error == ENOENT || error == ENODEV ? 0 : error;
}

}  // namespace

int serve_wills(int socket) noexcept {
  answer(socket, 0, 0);
  for (;;) {
    Packet packet = receive(socket);
    if (packet.size <= 0) break;  // the agent has gone, however that came
    if (packet.size != static_cast<ssize_t>(sizeof packet.will)) continue;
    if (packet.will.op == WillMessage::Op::kWithdraw) {
      withdraw(packet.will.id);
    } else {
      answer(socket, packet.will.id, hold(packet.will, std::move(packet.fd)));
    }
  }
  int failures = 0;
  for (Held& held : table) {
    if (!held.used) continue;
    failures += carry_out(held) != 0;
    held.fd.reset();
    held.used = false;
  }
  return failures;
}

}  // namespace faultline
