#include "agent/kernel/netlink.h"

#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

namespace faultline {
namespace {

struct Exchange {
  const std::function<void(nlmsghdr*)>* each = nullptr;
  int error = 0;  // positive errno
  bool acknowledged = false;
  std::string explanation;
};

int on_valid(nl_msg* msg, void* arg) {
  const auto* exchange = static_cast<Exchange*>(arg);
  if (*exchange->each) (*exchange->each)(nlmsg_hdr(msg));
  return NL_OK;
}

// The extended ack follows the (possibly capped) copy of the request.
std::string explanation_in(nlmsgerr* error) {
  const nlmsghdr* header = reinterpret_cast<nlmsghdr*>(error) - 1;
  if (!(header->nlmsg_flags & NLM_F_ACK_TLVS)) return {};
  std::size_t offset = sizeof(nlmsgerr);
  if (!(header->nlmsg_flags & NLM_F_CAPPED)) offset += NLMSG_ALIGN(error->msg.nlmsg_len) - sizeof(nlmsghdr);
  const std::size_t payload = header->nlmsg_len - sizeof(nlmsghdr);
  if (offset >= payload) return {};
  auto* attributes = reinterpret_cast<nlattr*>(reinterpret_cast<char*>(error) + offset);
  const nlattr* text = nla_find(attributes, static_cast<int>(payload - offset), NLMSGERR_ATTR_MSG);
  return text ? std::string(nla_get_string(text)) : std::string();
}

int on_acknowledgement(nl_msg*, void* arg) {
  static_cast<Exchange*>(arg)->acknowledged = true;
  return NL_STOP;
}

int on_error(sockaddr_nl*, nlmsgerr* error, void* arg) {
  auto* exchange = static_cast<Exchange*>(arg);
  exchange->error = -error->error;
  exchange->explanation = explanation_in(error);
  return NL_STOP;
}

}  // namespace

StatusOr<NetlinkSocket> NetlinkSocket::open(const Netns& netns, int protocol) {
  std::unique_ptr<nl_sock, SocketFree> socket(nl_socket_alloc());
  if (!socket) return make_error(StatusCode::kResourceExhausted, "netlink socket: out of memory");
  FL_RETURN_IF_ERROR(run_in_netns(netns, [&]() -> Status {
    if (int e = nl_connect(socket.get(), protocol); e < 0) {
      return make_error(StatusCode::kInternal, "netlink socket: {}", nl_geterror(e));
    }
    return ok_status();
  }));
  const int on = 1;
  // Without it errors only lose their explanation.
  (void)::setsockopt(nl_socket_get_fd(socket.get()), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  return NetlinkSocket(std::move(socket));
}

Status NetlinkSocket::exchange(NlMsg msg, const std::function<void(nlmsghdr*)>& each) {
  const bool dump = (nlmsg_hdr(msg.get())->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  Exchange exchange{.each = &each, .explanation = {}};
  const std::unique_ptr<nl_cb, decltype(&nl_cb_put)> callbacks(nl_cb_alloc(NL_CB_DEFAULT), nl_cb_put);
  if (!callbacks) return make_error(StatusCode::kResourceExhausted, "netlink: out of memory");
  nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_valid, &exchange);
  nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, on_acknowledgement, &exchange);
  nl_cb_err(callbacks.get(), NL_CB_CUSTOM, on_error, &exchange);

  int result = nl_send_auto(socket_.get(), msg.get());
  // An answer and its acknowledgement come one by one; a dump has its end in itself.
  do {
    if (result >= 0) result = nl_recvmsgs(socket_.get(), callbacks.get());
  } while (result >= 0 && !dump && !exchange.acknowledged && exchange.error == 0);
  if (exchange.error != 0) {
    return errno_status(exchange.error, exchange.explanation.empty() ? "netlink" : exchange.explanation);
  }
  if (result == -NLE_DUMP_INTR) {
    return make_error(StatusCode::kUnavailable, "netlink: what was listed changed meanwhile");
  }
  if (result < 0) return make_error(StatusCode::kInternal, "netlink: {}", nl_geterror(result));
  return ok_status();
}

Status NetlinkSocket::request(NlMsg msg) {
  nlmsg_hdr(msg.get())->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  return exchange(std::move(msg), nullptr);
}

Status NetlinkSocket::get(NlMsg msg, const std::function<void(nlmsghdr*)>& each) {
  nlmsg_hdr(msg.get())->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  return exchange(std::move(msg), each);
}

Status NetlinkSocket::dump(NlMsg msg, const std::function<void(nlmsghdr*)>& each) {
  nlmsg_hdr(msg.get())->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
  return exchange(std::move(msg), each);
}

}  // namespace faultline
