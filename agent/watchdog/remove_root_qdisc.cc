#include "agent/watchdog/remove_root_qdisc.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

#include "common/unique_fd.h"

namespace faultline {
namespace {

struct QdiscRequest {
  nlmsghdr header;
  tcmsg tc;
};

struct Qdisc {
  int ifindex;
  std::uint32_t handle;
};

alignas(NLMSG_ALIGNTO) char buffer[32768];  // the kernel's answers to a dump are at most this long

int send_request(int fd, std::uint16_t type, std::uint16_t flags, const Qdisc& qdisc) noexcept {
  QdiscRequest request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  request.header.nlmsg_seq = type;
  request.tc.tcm_family = AF_UNSPEC;
  request.tc.tcm_ifindex = qdisc.ifindex;
  request.tc.tcm_parent = TC_H_ROOT;
  request.tc.tcm_handle = qdisc.handle;
  return ::send(fd, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request) ? 0 : errno;
}

bool is_prio(const nlmsghdr* header) noexcept {
  const auto* tc = static_cast<const tcmsg*>(NLMSG_DATA(header));
  auto left = static_cast<int>(header->nlmsg_len - NLMSG_LENGTH(sizeof *tc));
  const auto* attribute =
      reinterpret_cast<const rtattr*>(reinterpret_cast<const char*>(tc) + NLMSG_ALIGN(sizeof *tc));
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type != TCA_KIND) continue;
    return RTA_PAYLOAD(attribute) == sizeof "prio" &&
           std::memcmp(RTA_DATA(attribute), "prio", sizeof "prio") == 0;
  }
  return false;
}

bool is_it(const nlmsghdr* header, const Qdisc& qdisc) noexcept {
  if (header->nlmsg_type != RTM_NEWQDISC || header->nlmsg_len < NLMSG_LENGTH(sizeof(tcmsg))) return false;
  const auto* tc = static_cast<const tcmsg*>(NLMSG_DATA(header));
  return tc->tcm_ifindex == qdisc.ifindex && tc->tcm_parent == TC_H_ROOT && tc->tcm_handle == qdisc.handle &&
         is_prio(header);
}

// Reads the answer to a request of this type to its end: 0, or a positive errno. `found` where the qdisc was
// in it.
int read_answer(int fd, std::uint16_t type, const Qdisc& qdisc, bool& found) noexcept {
  for (;;) {
    const ssize_t size = ::recv(fd, buffer, sizeof buffer, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size < 0 ? errno : EPIPE;
    auto left = static_cast<unsigned>(size);
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer);
    for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_seq != type) continue;
      if (header->nlmsg_flags & NLM_F_DUMP_INTR) return EAGAIN;
      if (header->nlmsg_type == NLMSG_DONE) return 0;
      if (header->nlmsg_type == NLMSG_ERROR) return -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
      found = found || is_it(header, qdisc);
    }
  }
}

}  // namespace

int remove_root_qdisc(int netns_fd, int ifindex, std::uint32_t handle) noexcept {
  const Qdisc qdisc{.ifindex = ifindex, .handle = handle};
  if (::setns(netns_fd, CLONE_NEWNET) != 0) return errno;
  const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const timeval patience{.tv_sec = 2, .tv_usec = 0};  // the other wills wait, too
  if (!socket.valid() ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
    return errno;
  }
  bool found = false;
  if (const int error = send_request(socket.get(), RTM_GETQDISC, NLM_F_DUMP, qdisc)) return error;
  if (const int error = read_answer(socket.get(), RTM_GETQDISC, qdisc, found)) return error;
  if (!found) return ENOENT;
  // The handle is in the request: should the root have changed since, the kernel refuses.
  if (const int error = send_request(socket.get(), RTM_DELQDISC, NLM_F_ACK, qdisc)) return error;
  return read_answer(socket.get(), RTM_DELQDISC, qdisc, found);
}

}  // namespace faultline
