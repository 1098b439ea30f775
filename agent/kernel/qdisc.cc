#include "agent/kernel/qdisc.h"

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include <algorithm>

namespace faultline {
namespace {

// fa22: .. fa30: for bands 2 .. 16, so that a netem of ours is known by its own handle, too.
std::uint32_t netem_handle(std::uint32_t band) {
  return 0xfa200000u + (band << 16);
}

StatusOr<NlMsg> qdisc_message(int type, int flags, int ifindex, std::uint32_t parent, std::uint32_t handle) {
  NlMsg msg(nlmsg_alloc_simple(type, flags));
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = ifindex;
  header.tcm_parent = parent;
  header.tcm_handle = handle;
  if (!msg || nlmsg_append(msg.get(), &header, sizeof header, NLMSG_ALIGNTO) < 0) {
    return make_error(StatusCode::kResourceExhausted, "netlink message: out of memory");
  }
  return msg;
}

Status put(int error) {
  return error < 0 ? make_error(StatusCode::kResourceExhausted, "netlink message: out of room") : ok_status();
}

// netem drops what is beyond its limit, so the limit must hold all that can be under way: a million packets a
// second for as long as they wait.
std::uint32_t queue_limit(const NetemParams& params) {
  constexpr double kPacketsPerSecond = 1e6;
  const double wait_s = std::chrono::duration<double>(params.latency + params.jitter).count();
  return static_cast<std::uint32_t>(std::clamp(wait_s * kPacketsPerSecond, 1000.0, 4e6));
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
  qdisc.queued = queue.qlen;
  qdisc.drops = queue.drops;
}

}  // namespace

StatusOr<std::vector<Qdisc>> list_qdiscs(NetlinkSocket& socket) {
  FL_ASSIGN_OR_RETURN(NlMsg msg, qdisc_message(RTM_GETQDISC, 0, 0, 0, 0));
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
  FL_ASSIGN_OR_RETURN(
      NlMsg msg, qdisc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, TC_H_ROOT, kTreeHandle));
  tc_prio_qopt options{};
  options.bands = kLastBand;  // all at once, so that no later change of the tree can disturb a packet
  std::fill(std::begin(options.priomap), std::end(options.priomap), 0);
  FL_RETURN_IF_ERROR(put(nla_put_string(msg.get(), TCA_KIND, "prio")));
  FL_RETURN_IF_ERROR(put(nla_put(msg.get(), TCA_OPTIONS, sizeof options, &options)));
  return annotate(socket.request(std::move(msg)), "add qdisc prio fa17:");
}

Status remove_tree(NetlinkSocket& socket, int ifindex) {
  FL_ASSIGN_OR_RETURN(auto qdiscs, list_qdiscs(socket));
  const bool present = std::any_of(qdiscs.begin(), qdiscs.end(), [&](const Qdisc& q) {
    return q.ifindex == ifindex && q.is_root() && q.handle == kTreeHandle && q.kind == "prio";
  });
  if (!present) return make_error(StatusCode::kNotFound, "no qdisc fa17: on interface {}", ifindex);
  // The handle is in the request: should the root have changed since, the kernel refuses.
  FL_ASSIGN_OR_RETURN(NlMsg msg, qdisc_message(RTM_DELQDISC, 0, ifindex, TC_H_ROOT, kTreeHandle));
  return annotate(socket.request(std::move(msg)), "remove qdisc fa17:");
}

Status add_netem(NetlinkSocket& socket, int ifindex, std::uint32_t band, const NetemParams& params) {
  FL_ASSIGN_OR_RETURN(NlMsg msg, qdisc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex,
                                               kTreeHandle | band, netem_handle(band)));
  tc_netem_qopt options{};
  options.limit = queue_limit(params);
  options.loss = params.drop_all ? ~0u : 0u;
  FL_RETURN_IF_ERROR(put(nla_put_string(msg.get(), TCA_KIND, "netem")));
  nlattr* outer = nla_nest_start(msg.get(), TCA_OPTIONS);
  if (!outer) return put(-1);
  // netem's options are the struct, then attributes, both inside TCA_OPTIONS.
  FL_RETURN_IF_ERROR(put(nlmsg_append(msg.get(), &options, sizeof options, NLMSG_ALIGNTO)));
  const std::int64_t latency_ns = params.latency.count();
  const std::int64_t jitter_ns = params.jitter.count();
  FL_RETURN_IF_ERROR(put(nla_put(msg.get(), TCA_NETEM_LATENCY64, sizeof latency_ns, &latency_ns)));
  FL_RETURN_IF_ERROR(put(nla_put(msg.get(), TCA_NETEM_JITTER64, sizeof jitter_ns, &jitter_ns)));
  nla_nest_end(msg.get(), outer);
  return annotate(socket.request(std::move(msg)), fmt::format("add qdisc netem in band {}", band));
}

Status remove_netem(NetlinkSocket& socket, int ifindex, std::uint32_t band) {
  FL_ASSIGN_OR_RETURN(NlMsg msg,
                      qdisc_message(RTM_DELQDISC, 0, ifindex, kTreeHandle | band, netem_handle(band)));
  return annotate(socket.request(std::move(msg)), fmt::format("remove qdisc netem in band {}", band));
}

StatusOr<Qdisc> netem_in_band(NetlinkSocket& socket, int ifindex, std::uint32_t band) {
  FL_ASSIGN_OR_RETURN(auto qdiscs, list_qdiscs(socket));
  for (Qdisc& qdisc : qdiscs) {
    if (qdisc.ifindex == ifindex && qdisc.parent == (kTreeHandle | band) &&
        qdisc.handle == netem_handle(band)) {
      return std::move(qdisc);
    }
  }
  return make_error(StatusCode::kNotFound, "no netem in band {} of interface {}", band, ifindex);
}

}  // namespace faultline
