#include "agent/watchdog/route_talk.h"

#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

namespace faultline {
namespace {

alignas(NLMSG_ALIGNTO) char buffer[32768];  // the kernel's answers to a dump are at most this long

}  // namespace

int open_route_socket(int netns_fd, UniqueFd& socket) noexcept {
  if (::setns(netns_fd, CLONE_NEWNET) != 0) return errno;
  socket.reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const timeval patience{.tv_sec = 2, .tv_usec = 0};  // the other wills wait, too
  if (!socket.valid() ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
    return errno;
  }
  return 0;
}

int route_request(int socket, nlmsghdr& request, void (*sees)(const nlmsghdr&, void*),
                  void* context) noexcept {
  request.nlmsg_flags |= NLM_F_REQUEST;
  request.nlmsg_seq = request.nlmsg_type;
  if (::send(socket, &request, request.nlmsg_len, 0) != static_cast<ssize_t>(request.nlmsg_len)) return errno;
  for (;;) {
    const ssize_t size = ::recv(socket, buffer, sizeof buffer, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size < 0 ? errno : EPIPE;
    auto left = static_cast<unsigned>(size);
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer);
    for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_seq != request.nlmsg_seq) continue;
      if (header->nlmsg_flags & NLM_F_DUMP_INTR) return EAGAIN;
      if (header->nlmsg_type == NLMSG_DONE) return 0;
      if (header->nlmsg_type == NLMSG_ERROR) return -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
      if (sees) sees(*header, context);
    }
  }
}

const rtattr* attribute_of(const nlmsghdr& message, std::size_t header_size, unsigned short type) noexcept {
  if (message.nlmsg_len < NLMSG_LENGTH(header_size)) return nullptr;
  auto left = static_cast<int>(message.nlmsg_len - NLMSG_LENGTH(header_size));
  const auto* attribute = reinterpret_cast<const rtattr*>(static_cast<const char*>(NLMSG_DATA(&message)) +
                                                          NLMSG_ALIGN(header_size));
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type == type) return attribute;
  }
  return nullptr;
}

bool is_text(const rtattr* attribute, const char* text) noexcept {
  const std::size_t size = std::strlen(text) + 1;
  return attribute && RTA_PAYLOAD(attribute) == size && std::memcmp(RTA_DATA(attribute), text, size) == 0;
}

}  // namespace faultline
