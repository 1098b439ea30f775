// The live TCP connections of a network namespace, and how to destroy them: the peer gets a RST, the socket
// ECONNABORTED. Needs CAP_NET_ADMIN. Minimum kernel: 5.9 (sockets tell their cgroup),
// CONFIG_INET_DIAG_DESTROY. One owner at a time; not thread-safe.
#pragma once

#include <vector>

#include "agent/kernel/netlink.h"
#include "agent/kernel/tcp_connection.h"

namespace faultline {

class SockDiag {
 public:
  static StatusOr<SockDiag> open(const Netns& netns);

  // Everything from being opened to being closed by both sides; no listeners, nothing that only waits for its
  // time.
  StatusOr<std::vector<TcpConnection>> connections();
  // True: the kernel has destroyed it. False: it had ended before.
  StatusOr<bool> destroy(const TcpConnection& connection);

 private:
  explicit SockDiag(NetlinkSocket socket) : socket_(std::move(socket)) {}
  Status append_connections(std::uint8_t family, std::vector<TcpConnection>& connections);

  NetlinkSocket socket_;
};

// Destroys a connection of its own in a network namespace of its own. Unimplemented, with the reason, when
// the kernel cannot; PermissionDenied when this process may not.
Status probe_reset_support();

}  // namespace faultline
