#include "agent/watchdog/process.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>
#include <thread>

#include "agent/watchdog/main.h"
#include "agent/watchdog/wire.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/scope_exit.h"

extern char** environ;

namespace faultline {
namespace {

constexpr Nanos kStartPatience = std::chrono::seconds(10);  // a busy machine loads the binary slowly
constexpr Nanos kEndPatience = std::chrono::seconds(5);

Status gone(std::string_view what) {
  return make_error(StatusCode::kUnavailable, "watchdog: {}", what);
}

// Waits until the process has ended, for so long.
bool reaped(pid_t pid, Nanos patience) {
  const MonoTime give_up = mono_now() + patience;
  for (;;) {
    const pid_t ended = ::waitpid(pid, nullptr, WNOHANG);
    if (ended == pid || (ended < 0 && errno == ECHILD)) return true;
    if (mono_now() >= give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

StatusOr<pid_t> spawn(const WatchdogCommand& command, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const ScopeExit free_actions([&] { posix_spawn_file_actions_destroy(&actions); });
  posix_spawn_file_actions_adddup2(&actions, socket, kWatchdogSocket);
  // At once, not when the program has been loaded: until then it would keep our BPF links alive, should we
  // die.
  posix_spawn_file_actions_addclosefrom_np(&actions, kWatchdogSocket + 1);
  const std::string option(kWatchdogOption);
  const char* argv[] = {"faultline-agent", option.c_str(), command.cgroup_root.c_str(), nullptr};
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, command.executable.c_str(), &actions, nullptr, const_cast<char**>(argv), environ);
  if (error != 0) return gone(message_of(errno_status(error, "start " + command.executable)));
  return pid;
}

}  // namespace

StatusOr<std::unique_ptr<WatchdogProcess>> WatchdogProcess::start(const WatchdogCommand& command) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return gone(message_of(errno_status(errno, "socketpair")));
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  FL_ASSIGN_OR_RETURN(const pid_t pid, spawn(command, theirs.get()));
  theirs.reset();  // from now on its end is ours to see
  std::unique_ptr<WatchdogProcess> process(new WatchdogProcess(pid, std::move(ours), command.patience));
  spdlog::info("event=watchdog_started pid={}", pid);
  return process;
}

WatchdogProcess::~WatchdogProcess() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);  // before the socket is closed: the end of that would have it act
  if (!reaped(pid_, kEndPatience)) spdlog::error("event=watchdog_stuck pid={}", pid_);
}

void WatchdogProcess::finish() {
  socket_.reset();
  if (reaped(pid_, kEndPatience)) pid_ = -1;
}

Status WatchdogProcess::ready() {
  if (ready_) return ok_status();
  FL_RETURN_IF_ERROR(answer_to(0, kStartPatience));
  ready_ = true;
  return ok_status();
}

Status WatchdogProcess::hold(std::uint64_t id, const StickyWill& will) {
  FL_RETURN_IF_ERROR(ready());
  WillMessage text{.op = WillMessage::Op::kHold,
                   .action = will.action,
                   .id = id,
                   .ifindex = will.ifindex,
                   .handle = will.handle};
  iovec part{.iov_base = &text, .iov_len = sizeof text};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &will.fd, sizeof will.fd);
  if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0) {
    return gone(message_of(errno_status(errno, "send a will")));
  }
  return answer_to(id, patience_);
}

Status WatchdogProcess::withdraw(std::uint64_t id) {
  const WillMessage text{.op = WillMessage::Op::kWithdraw, .id = id};
  // A full queue means that nobody reads it.
  if (::send(socket_.get(), &text, sizeof text, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return ok_status();
  return gone(message_of(errno_status(errno, "withdraw a will")));
}

Status WatchdogProcess::answer_to(std::uint64_t id, Nanos patience) {
  WillAnswer answer;
  pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  int events = 0;
  do {
    events =
        ::poll(&ready, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(patience).count()));
  } while (events < 0 && errno == EINTR);
  if (events != 1) return gone("it does not answer");
  const ssize_t size = ::recv(socket_.get(), &answer, sizeof answer, MSG_DONTWAIT);
  if (size != static_cast<ssize_t>(sizeof answer)) return gone("it has ended");
  if (answer.id != id) return gone("it answers something else");
  if (answer.error == 0) return ok_status();
  if (answer.error == ENOSPC) {
    return make_error(StatusCode::kResourceExhausted, "watchdog: it holds {} wills, and no more", kMaxWills);
  }
  return annotate(errno_status(answer.error, "hold a will"), "watchdog");
}

bool WatchdogProcess::alive() const {
  pollfd state{.fd = socket_.get(), .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) == 0;  // not asked for anything, it can only tell of its end
}

}  // namespace faultline
