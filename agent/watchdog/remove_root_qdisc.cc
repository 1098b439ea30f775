#include "agent/watchdog/remove_root_qdisc.h"

#include <linux/pkt_sched.h>
#include <sys/socket.h>

#include <cerrno>

#include "agent/watchdog/route_talk.h"

namespace faultline {
namespace {

struct QdiscRequest {
  nlmsghdr header;
  tcmsg tc;
};

struct Search {
  int ifindex;
  std::uint32_t handle;
  bool found;
};

QdiscRequest request_of(std::uint16_t type, std::uint16_t flags, const Search& qdisc) noexcept {
  QdiscRequest request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = flags;
  request.tc.tcm_family = AF_UNSPEC;
  request.tc.tcm_ifindex = qdisc.ifindex;
  request.tc.tcm_parent = TC_H_ROOT;
  request.tc.tcm_handle = qdisc.handle;
  return request;
}

void look(const nlmsghdr& answer, void* context) noexcept {
  auto& search = *static_cast<Search*>(context);
  if (answer.nlmsg_type != RTM_NEWQDISC || answer.nlmsg_len < NLMSG_LENGTH(sizeof(tcmsg))) return;
  const auto* tc = static_cast<const tcmsg*>(NLMSG_DATA(&answer));
  search.found = search.found || (tc->tcm_ifindex == search.ifindex && tc->tcm_parent == TC_H_ROOT &&
                                  tc->tcm_handle == search.handle &&
                                  is_text(attribute_of(answer, sizeof *tc, TCA_KIND), "prio"));
}

}  // namespace

int remove_root_qdisc(int netns_fd, int ifindex, std::uint32_t handle) noexcept {
  Search qdisc{.ifindex = ifindex, .handle = handle, .found = false};
  UniqueFd socket;
  if (const int error = open_route_socket(netns_fd, socket)) return error;
  QdiscRequest ask = request_of(RTM_GETQDISC, NLM_F_DUMP, qdisc);
  if (const int error = route_request(socket.get(), ask.header, look, &qdisc)) return error;
  if (!qdisc.found) return ENOENT;
  // The handle is in the request: should the root have changed since, the kernel refuses.
  QdiscRequest remove = request_of(RTM_DELQDISC, NLM_F_ACK, qdisc);
  return route_request(socket.get(), remove.header, nullptr, nullptr);
}

}  // namespace faultline
