#include "agent/kernel/sock_diag.h"

#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "agent/kernel/new_netns.h"

namespace faultline {
namespace {

constexpr int kCgroupAttribute = 21;  // INET_DIAG_CGROUP_ID, younger than some headers

constexpr std::uint32_t bit(int state) {
  return 1u << state;
}
constexpr std::uint32_t kLive = bit(TCP_ESTABLISHED) | bit(TCP_SYN_SENT) | bit(TCP_SYN_RECV) |
                                bit(TCP_FIN_WAIT1) | bit(TCP_FIN_WAIT2) | bit(TCP_CLOSE_WAIT);

StatusOr<NlMsg> message(int type, const inet_diag_req_v2& request) {
  NlMsg msg(nlmsg_alloc_simple(type, 0));
  if (!msg ||
      nlmsg_append(msg.get(), const_cast<inet_diag_req_v2*>(&request), sizeof request, NLMSG_ALIGNTO) != 0) {
    return make_error(StatusCode::kResourceExhausted, "netlink message: out of memory");
  }
  return msg;
}

std::uint64_t cgroup_in(nlmsghdr* header) {
  const nlattr* attribute = nlmsg_find_attr(header, sizeof(inet_diag_msg), kCgroupAttribute);
  return attribute && nla_len(attribute) >= static_cast<int>(sizeof(std::uint64_t)) ? nla_get_u64(attribute)
                                                                                    : 0;
}

}  // namespace

StatusOr<SockDiag> SockDiag::open(const Netns& netns) {
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns, NETLINK_SOCK_DIAG));
  return SockDiag(std::move(socket));
}

StatusOr<std::vector<TcpConnection>> SockDiag::connections() {
  std::vector<TcpConnection> connections;
  FL_RETURN_IF_ERROR(append_connections(AF_INET, connections));
  FL_RETURN_IF_ERROR(append_connections(AF_INET6, connections));
  return connections;
}

Status SockDiag::append_connections(std::uint8_t family, std::vector<TcpConnection>& connections) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = kLive;
  FL_ASSIGN_OR_RETURN(NlMsg msg, message(SOCK_DIAG_BY_FAMILY, request));
  const Status listed = socket_.dump(std::move(msg), [&](nlmsghdr* header) {
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || header->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg)))
      return;
    inet_diag_msg answer;
    std::memcpy(&answer, NLMSG_DATA(header), sizeof answer);
    connections.push_back(to_connection(answer, cgroup_in(header)));
  });
  return annotate(listed, "list TCP connections");
}

StatusOr<bool> SockDiag::destroy(const TcpConnection& connection) {
  inet_diag_req_v2 request{};
  request.sdiag_family = connection.family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = kLive;
  request.id = connection.id;
  FL_ASSIGN_OR_RETURN(NlMsg msg, message(SOCK_DESTROY, request));
  const Status destroyed = socket_.request(std::move(msg));
  if (destroyed.ok()) return true;
  if (destroyed.code() == StatusCode::kNotFound) return false;
  return annotate(destroyed, "destroy a TCP connection");
}

namespace {

// A connection within the calling thread's namespace; `listener` keeps its other end.
StatusOr<UniqueFd> connect_to_itself(UniqueFd& listener) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  listener.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ifreq lo{};
  std::strncpy(lo.ifr_name, "lo", sizeof lo.ifr_name - 1);
  lo.ifr_flags = IFF_UP;
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof own;
  auto* const address = reinterpret_cast<sockaddr*>(&own);
  if (!fd.valid() || !listener.valid() || ::ioctl(fd.get(), SIOCSIFFLAGS, &lo) != 0 ||
      ::bind(listener.get(), address, size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), address, &size) != 0 || ::connect(fd.get(), address, size) != 0) {
    return errno_status(errno, "connect to oneself in a network namespace of one's own");
  }
  return fd;
}

Status try_destroy(NetlinkSocket&, const Netns& here) {
  UniqueFd listener;
  FL_ASSIGN_OR_RETURN(const UniqueFd fd, connect_to_itself(listener));
  FL_ASSIGN_OR_RETURN(SockDiag diag, SockDiag::open(here));
  FL_ASSIGN_OR_RETURN(const auto connections, diag.connections());
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size);
  const auto ours = std::find_if(
      connections.begin(), connections.end(),
      [&](const TcpConnection& connection) { return connection.local_port == ntohs(own.sin_port); });
  if (ours == connections.end())
    return make_error(StatusCode::kInternal, "the kernel does not tell of a connection");
  if (ours->cgroup_id == 0) {
    return make_error(StatusCode::kUnimplemented,
                      "the kernel does not tell the cgroup of a connection (5.9 does)");
  }
  const auto destroyed = diag.destroy(*ours);
  if (destroyed.status().code() == StatusCode::kUnimplemented) {
    return make_error(StatusCode::kUnimplemented, "the kernel was built without CONFIG_INET_DIAG_DESTROY");
  }
  FL_RETURN_IF_ERROR(destroyed.status());
  int error = 0;
  size = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == ECONNABORTED) return ok_status();
  return make_error(StatusCode::kUnimplemented, "the kernel destroys no TCP connections");
}

}  // namespace

Status probe_reset_support() {
  const Status status = in_new_netns(try_destroy);
  if (status.code() == StatusCode::kNotFound) {
    return make_error(StatusCode::kUnimplemented, "the kernel has no tcp_diag: {}", message_of(status));
  }
  return status;
}

}  // namespace faultline
