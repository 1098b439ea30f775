// The watchdog's real work in a child of the test, with its requests for memory counted; the other end of its
// socket is the test's.
#pragma once

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "agent/watchdog/serve.h"
#include "common/unique_fd.h"
#include "tests/support/allocation_count.h"

namespace faultline::testing {

class WatchdogChild {
 public:
  struct End {
    unsigned long allocations = 0;
    int failures = -1;
  };

  WatchdogChild() {
    int ends[2], report[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 ||
        ::pipe2(report, O_CLOEXEC) != 0) {
      throw std::runtime_error("socketpair, pipe");
    }
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      const unsigned long before = allocations();
      End end;
      end.failures = serve_wills(ends[1]);
      end.allocations = allocations() - before;
      (void)!::write(report[1], &end, sizeof end);
      ::_exit(0);
    }
    ::close(ends[1]);
    ::close(report[1]);
    socket_.reset(ends[0]);
    report_.reset(report[0]);
    if (answer().error != 0) throw std::runtime_error("the watchdog did not start");
  }
  ~WatchdogChild() {
    if (pid_ > 0) (void)finish();
  }

  // The watchdog's answer, a positive errno or 0.
  int hold(std::uint64_t id, const StickyWill& will) {
    WillMessage text{.action = will.action, .id = id, .ifindex = will.ifindex, .handle = will.handle};
    iovec part{.iov_base = &text, .iov_len = sizeof text};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (will.fd >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      *header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
      std::memcpy(CMSG_DATA(header), &will.fd, sizeof will.fd);
    }
    if (::sendmsg(socket_.get(), &message, 0) < 0) throw std::runtime_error("sendmsg");
    return answer().error;
  }
  void withdraw(std::uint64_t id) {
    const WillMessage text{.op = WillMessage::Op::kWithdraw, .id = id};
    send_raw(&text, sizeof text);
  }
  void send_raw(const void* data, std::size_t size) {
    if (::send(socket_.get(), data, size, 0) < 0) throw std::runtime_error("send");
  }
  // As if the agent had died; waits for the watchdog's end.
  End finish() {
    End end;
    socket_.reset();
    if (::read(report_.get(), &end, sizeof end) != sizeof end) end.failures = -1;
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    return end;
  }

 private:
  WillAnswer answer() {
    WillAnswer answer{.error = -1};
    (void)!::recv(socket_.get(), &answer, sizeof answer, 0);
    return answer;
  }
  pid_t pid_ = -1;
  UniqueFd socket_, report_;
};

}  // namespace faultline::testing
