// A netlink socket inside a given network namespace, over libnl. Kernel errors come back with their
// errno and the kernel's own explanation (extended ack). One owner at a time; not thread-safe.
#pragma once

#include <netlink/msg.h>
#include <netlink/socket.h>

#include <functional>
#include <memory>
#include <string>

#include "agent/kernel/netns.h"
#include "common/status.h"

namespace faultline {

struct NlMsgFree {
  void operator()(nl_msg* msg) const { nlmsg_free(msg); }
};
using NlMsg = std::unique_ptr<nl_msg, NlMsgFree>;

class NetlinkSocket {
 public:
  static StatusOr<NetlinkSocket> open(const Netns& netns, int protocol = NETLINK_ROUTE);

  // Sends one request and waits for its acknowledgement.
  Status request(NlMsg msg);
  // Sends one request and calls `each` for its answer.
  Status get(NlMsg msg, const std::function<void(nlmsghdr*)>& each);
  // Sends one dump request and calls `each` for every answer. Unavailable: what is listed changed meanwhile.
  Status dump(NlMsg msg, const std::function<void(nlmsghdr*)>& each);

  nl_sock* raw() const { return socket_.get(); }

 private:
  struct SocketFree {
    void operator()(nl_sock* socket) const { nl_socket_free(socket); }
  };
  explicit NetlinkSocket(std::unique_ptr<nl_sock, SocketFree> socket) : socket_(std::move(socket)) {}
  Status exchange(NlMsg msg, const std::function<void(nlmsghdr*)>& each);

  std::unique_ptr<nl_sock, SocketFree> socket_;
};

}  // namespace faultline
