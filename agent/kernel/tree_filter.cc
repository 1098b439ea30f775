#include "agent/kernel/tree_filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include <algorithm>

#include "agent/kernel/qdisc.h"
#include "agent/kernel/tc_message.h"

namespace faultline {
namespace {

constexpr std::uint32_t kPreference = 0xfa17;  // all of ours share one, so that one list holds them

tcmsg place_of(int ifindex, std::uint32_t handle) {
  tcmsg header{};
  header.tcm_ifindex = ifindex;
  header.tcm_parent = kTreeHandle;
  header.tcm_handle = handle;
  header.tcm_info = TC_H_MAKE(kPreference << 16, htons(ETH_P_ALL));
  return header;
}

bool tree_is_there(NetlinkSocket& socket, int ifindex) {
  const auto qdiscs = list_qdiscs(socket);
  return qdiscs.ok() && std::any_of(qdiscs->begin(), qdiscs->end(), [&](const Qdisc& q) {
           return q.ifindex == ifindex && q.is_root() && q.handle == kTreeHandle;
         });
}

}  // namespace

Status add_tree_filter(NetlinkSocket& socket, int ifindex, std::uint32_t handle, int program_fd,
                       const std::string& name, std::uint32_t qdisc) {
  tcmsg place = place_of(ifindex, handle);
  place.tcm_parent = qdisc;
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, place));
  FL_RETURN_IF_ERROR(put_text(msg, TCA_KIND, "bpf"));
  // Without TCA_BPF_FLAG_ACT_DIRECT: what the program returns is a class, not an action.
  const auto options = [&]() -> Status {
    FL_RETURN_IF_ERROR(put_value(msg, TCA_BPF_FD, static_cast<std::uint32_t>(program_fd)));
    return put_text(msg, TCA_BPF_NAME, name);
  };
  FL_RETURN_IF_ERROR(put_nested(msg, TCA_OPTIONS, options));
  return annotate(socket.request(std::move(msg)),
                  fmt::format("add filter {} to qdisc {:x}:", name, qdisc >> 16));
}

Status remove_tree_filter(NetlinkSocket& socket, int ifindex, std::uint32_t handle) {
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_DELTFILTER, 0, place_of(ifindex, handle)));
  FL_RETURN_IF_ERROR(put_text(msg, TCA_KIND, "bpf"));
  const Status removed = socket.request(std::move(msg));
  if (removed.code() == StatusCode::kInvalidArgument && !tree_is_there(socket, ifindex)) {
    return make_error(StatusCode::kNotFound, "no qdisc fa17: on interface {}", ifindex);
  }
  return annotate(removed, fmt::format("remove filter {} of qdisc fa17:", handle));
}

StatusOr<std::vector<TreeFilter>> list_tree_filters(NetlinkSocket& socket, int ifindex) {
  tcmsg of_tree{};
  of_tree.tcm_ifindex = ifindex;
  of_tree.tcm_parent = kTreeHandle;
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_GETTFILTER, 0, of_tree));
  std::vector<TreeFilter> filters;
  FL_RETURN_IF_ERROR(socket.dump(std::move(msg), [&](nlmsghdr* header) {
    nlattr* attributes[TCA_MAX + 1] = {};
    nlattr* options[TCA_BPF_MAX + 1] = {};
    if (header->nlmsg_type != RTM_NEWTFILTER) return;
    if (nlmsg_parse(header, sizeof(tcmsg), attributes, TCA_MAX, nullptr) < 0) return;
    const auto* tc = static_cast<const tcmsg*>(nlmsg_data(header));
    // Each list of filters is told, too, with the handle 0.
    if (tc->tcm_handle == 0 || !attributes[TCA_OPTIONS]) return;
    if (nla_parse_nested(options, TCA_BPF_MAX, attributes[TCA_OPTIONS], nullptr) < 0) return;
    TreeFilter filter{.handle = tc->tcm_handle, .name = {}};
    if (options[TCA_BPF_NAME]) filter.name = nla_get_string(options[TCA_BPF_NAME]);
    if (options[TCA_BPF_ID]) filter.program_id = nla_get_u32(options[TCA_BPF_ID]);
    filters.push_back(std::move(filter));
  }));
  std::sort(filters.begin(), filters.end(), [](const auto& a, const auto& b) { return a.handle < b.handle; });
  return filters;
}

}  // namespace faultline
