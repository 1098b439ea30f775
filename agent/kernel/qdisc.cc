#include "agent/kernel/qdisc.h"

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <netlink/attr.h>

#include <algorithm>

#include "agent/kernel/tc_message.h"

namespace faultline {
namespace {

tcmsg root_of(int ifindex) {
  tcmsg header{};
  header.tcm_ifindex = ifindex;
  header.tcm_parent = TC_H_ROOT;
  header.tcm_handle = kTreeHandle;
  return header;
}

void read_stats(const nlattr* stats2, Qdisc& qdisc) {
  nlattr* nested[TCA_STATS_MAX + 1] = {};
  if (nla_parse_nested(nested, TCA_STATS_MAX, const_cast<nlattr*>(stats2), nullptr) < 0) return;
  const auto read = [&](int type, auto& into) {
    if (!nested[type]) return;
    const int size = std::min<int>(nla_len(nested[type]), sizeof into);
    std::copy_n(static_cast<const char*>(nla_data(nested[type])), size, reinterpret_cast<char*>(&into));
  };
  gnet_stats_basic basic{};
  gnet_stats_queue queue{};
  read(TCA_STATS_BASIC, basic);
  read(TCA_STATS_QUEUE, queue);
  qdisc.sent = basic.packets;
  qdisc.bytes = basic.bytes;
  qdisc.queued = queue.qlen;
  qdisc.drops = queue.drops;
}

}  // namespace

StatusOr<std::vector<Qdisc>> list_qdiscs(NetlinkSocket& socket) {
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_GETQDISC, 0, tcmsg{}));
  std::vector<Qdisc> qdiscs;
  FL_RETURN_IF_ERROR(socket.dump(std::move(msg), [&](nlmsghdr* header) {
    nlattr* attributes[TCA_MAX + 1] = {};
    if (header->nlmsg_type != RTM_NEWQDISC) return;
    if (nlmsg_parse(header, sizeof(tcmsg), attributes, TCA_MAX, nullptr) < 0) return;
    const auto* tc = static_cast<const tcmsg*>(nlmsg_data(header));
    Qdisc qdisc{.ifindex = tc->tcm_ifindex, .parent = tc->tcm_parent, .handle = tc->tcm_handle, .kind = {}};
    if (attributes[TCA_KIND]) qdisc.kind = nla_get_string(attributes[TCA_KIND]);
    if (attributes[TCA_STATS2]) read_stats(attributes[TCA_STATS2], qdisc);
    qdiscs.push_back(std::move(qdisc));
  }));
  return qdiscs;
}

Status add_tree(NetlinkSocket& socket, int ifindex) {
  // EXCL without REPLACE: the kernel itself refuses to touch a root qdisc that somebody has put there.
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, root_of(ifindex)));
  tc_prio_qopt options{};
  options.bands = kLastBand;  // all at once, so that no later change of the tree can disturb a packet
  std::fill(std::begin(options.priomap), std::end(options.priomap), 0);
  FL_RETURN_IF_ERROR(put_text(msg, TCA_KIND, "prio"));
  FL_RETURN_IF_ERROR(put_value(msg, TCA_OPTIONS, options));
  return annotate(socket.request(std::move(msg)), "add qdisc prio fa17:");
}

Status remove_tree(NetlinkSocket& socket, int ifindex) {
  FL_ASSIGN_OR_RETURN(auto qdiscs, list_qdiscs(socket));
  const bool present = std::any_of(qdiscs.begin(), qdiscs.end(), [&](const Qdisc& q) {
    return q.ifindex == ifindex && q.is_root() && q.handle == kTreeHandle && q.kind == "prio";
  });
  if (!present) return make_error(StatusCode::kNotFound, "no qdisc fa17: on interface {}", ifindex);
  // The handle is in the request: should the root have changed since, the kernel refuses.
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_DELQDISC, 0, root_of(ifindex)));
  return annotate(socket.request(std::move(msg)), "remove qdisc fa17:");
}

}  // namespace faultline
