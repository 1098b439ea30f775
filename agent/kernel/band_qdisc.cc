#include "agent/kernel/band_qdisc.h"

#include <linux/pkt_sched.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "agent/kernel/link.h"
#include "agent/kernel/tc_message.h"

namespace faultline {
namespace {

constexpr std::uint32_t kAlways = ~0u;
constexpr std::uint32_t kLinkHeaders = 64;  // Ethernet with tags and room to spare
constexpr double kLateTimer_s = 0.010;
constexpr double kSecond = 1e9;

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

tcmsg place_of(int ifindex, std::uint32_t band) {
  tcmsg header{};
  header.tcm_ifindex = ifindex;
  header.tcm_parent = kTreeHandle | band;
  header.tcm_handle = band_handle(band);
  return header;
}

// netem drops what is beyond its limit, so the limit must hold all that can be under way: a million packets a
// second for as long as they wait.
std::uint32_t queue_limit(const NetemParams& params) {
  constexpr double kPacketsPerSecond = 1e6;
  const double wait_s = std::chrono::duration<double>(longest_wait(params)).count();
  return static_cast<std::uint32_t>(std::clamp(wait_s * kPacketsPerSecond, 1000.0, 4e6));
}

Status put_netem(NlMsg& msg, const NetemParams& params) {
  tc_netem_qopt options{};
  options.limit = queue_limit(params);
  options.duplicate = params.duplicate ? kAlways : 0;
  // netem's options are the struct, then attributes, both inside TCA_OPTIONS.
  if (nlmsg_append(msg.get(), &options, sizeof options, NLMSG_ALIGNTO) < 0) {
    return make_error(StatusCode::kResourceExhausted, "netlink message: out of room");
  }
  FL_RETURN_IF_ERROR(put_value(msg, TCA_NETEM_LATENCY64, static_cast<std::int64_t>(params.latency.count())));
  FL_RETURN_IF_ERROR(put_value(msg, TCA_NETEM_JITTER64, static_cast<std::int64_t>(params.jitter.count())));
  FL_RETURN_IF_ERROR(put_value(msg, kNetemPrngSeed, params.seed));
  if (params.corrupt) {
    FL_RETURN_IF_ERROR(
        put_value(msg, TCA_NETEM_CORRUPT, tc_netem_corrupt{.probability = kAlways, .correlation = 0}));
  }
  if (params.jitter == Nanos::zero()) return ok_status();
  tc_netem_corr correlation{};
  correlation.delay_corr = static_cast<std::uint32_t>(std::clamp(params.correlation, 0.0, 1.0) * kAlways);
  FL_RETURN_IF_ERROR(put_value(msg, TCA_NETEM_CORR, correlation));
  // The uniform shape, too: netem's own way to draw it, a remainder, moves the mean where the jitter is
  // large.
  const JitterTable& table = jitter_table(params.shape);
  return put_bytes(msg, TCA_NETEM_DELAY_DIST, table.data(), sizeof table);
}

Status put_tbf(NlMsg& msg, const TbfParams& params, std::uint32_t mtu) {
  const std::uint32_t burst = burst_of(params, mtu);
  const double queue =
      static_cast<double>(params.bytes_per_second) * static_cast<double>(params.max_wait.count()) / kSecond;
  tc_tbf_qopt options{};
  options.rate.linklayer = TC_LINKLAYER_ETHERNET;  // no table of transmission times wanted
  options.rate.rate = static_cast<std::uint32_t>(std::min<std::uint64_t>(params.bytes_per_second, ~0u));
  // At least a burst: it is there all at once, before the first packet of it has left.
  options.limit = static_cast<std::uint32_t>(std::clamp<double>(queue, burst, 1u << 31));
  FL_RETURN_IF_ERROR(put_value(msg, TCA_TBF_PARMS, options));
  FL_RETURN_IF_ERROR(put_value(msg, TCA_TBF_BURST, burst));
  return put_value(msg, TCA_TBF_RATE64, params.bytes_per_second);
}

// The kernel's words for it are "netem: cannot mix duplicating netems with other netems in tree".
Status explain(const Status& status, const BandParams& params) {
  if (!std::holds_alternative<NetemParams>(params) ||
      message_of(status).find("duplicating netem") == std::string::npos) {
    return status;
  }
  return make_error(
      StatusCode::kFailedPrecondition,
      "this kernel allows no packet-duplicating fault beside any other fault that delays, corrupts or "
      "duplicates on the same network interface ({})",
      message_of(status));
}

}  // namespace

std::string_view kind_of(const BandParams& params) {
  return std::visit(Overloaded{[](const NetemParams&) { return std::string_view("netem"); },
                               [](const TbfParams&) { return std::string_view("tbf"); },
                               [](const BlackholeParams&) { return std::string_view("blackhole"); }},
                    params);
}

Nanos longest_wait(const BandParams& params) {
  if (const auto* netem = std::get_if<NetemParams>(&params)) {
    return netem->latency +
           Nanos(std::llround(longest_of(netem->shape) * static_cast<double>(netem->jitter.count())));
  }
  const auto* tbf = std::get_if<TbfParams>(&params);
  return tbf ? tbf->max_wait : Nanos::zero();
}

std::uint32_t burst_of(const TbfParams& params, std::uint32_t mtu) {
  const std::uint32_t packet = mtu + kLinkHeaders;
  if (params.burst_bytes != 0) return std::max(params.burst_bytes, packet);
  const double slack = static_cast<double>(params.bytes_per_second) * kLateTimer_s;
  return static_cast<std::uint32_t>(std::min<double>(packet + slack, 1u << 31));
}

Status add_band_qdisc(NetlinkSocket& socket, int ifindex, std::uint32_t band, const BandParams& params) {
  const std::string what = fmt::format("add qdisc {} in band {}", kind_of(params), band);
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, place_of(ifindex, band),
                                            sizeof(JitterTable) + 1024));
  FL_RETURN_IF_ERROR(put_text(msg, TCA_KIND, std::string(kind_of(params))));
  if (const auto* netem = std::get_if<NetemParams>(&params)) {
    FL_RETURN_IF_ERROR(put_nested(msg, TCA_OPTIONS, [&] { return put_netem(msg, *netem); }));
  }
  if (const auto* tbf = std::get_if<TbfParams>(&params)) {
    // The kernel takes a rate of zero, and lets everything pass.
    if (tbf->bytes_per_second == 0) return invalid_argument("{}: the rate must be above zero", what);
    const auto link = link_of(socket, ifindex);
    if (!link.ok()) return annotate(link.status(), what);
    const std::uint32_t mtu = rtnl_link_get_mtu(link->get());
    FL_RETURN_IF_ERROR(put_nested(msg, TCA_OPTIONS, [&] { return put_tbf(msg, *tbf, mtu); }));
  }
  return annotate(explain(socket.request(std::move(msg)), params), what);
}

Status remove_band_qdisc(NetlinkSocket& socket, int ifindex, std::uint32_t band) {
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_DELQDISC, 0, place_of(ifindex, band)));
  const Status removed = socket.request(std::move(msg));
  // Where the band has only the kernel's default, the kernel calls our handle invalid.
  if (removed.code() == StatusCode::kInvalidArgument) {
    FL_RETURN_IF_ERROR(band_qdisc(socket, ifindex, band).status());
  }
  return annotate(removed, fmt::format("remove the qdisc in band {}", band));
}

StatusOr<Qdisc> band_qdisc(NetlinkSocket& socket, int ifindex, std::uint32_t band) {
  FL_ASSIGN_OR_RETURN(auto qdiscs, list_qdiscs(socket));
  for (Qdisc& qdisc : qdiscs) {
    if (qdisc.ifindex == ifindex && qdisc.parent == (kTreeHandle | band) &&
        qdisc.handle == band_handle(band)) {
      return std::move(qdisc);
    }
  }
  return make_error(StatusCode::kNotFound, "no qdisc of ours in band {} of interface {}", band, ifindex);
}

}  // namespace faultline
