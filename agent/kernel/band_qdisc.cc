#include "agent/kernel/band_qdisc.h"

#include <linux/pkt_sched.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "agent/kernel/graded_netem.h"
#include "agent/kernel/link.h"
#include "agent/kernel/netem.h"
#include "agent/kernel/tc_message.h"

namespace faultline {
namespace {

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
  return std::visit(Overloaded{[](const NetemParams& netem) {
                                 return std::string_view(netem.correlation > 0 ? "graded netem" : "netem");
                               },
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
  if (const auto* netem = std::get_if<NetemParams>(&params); netem && netem->correlation > 0) {
    return annotate(explain(add_graded_netem(socket, ifindex, band, *netem), params), what);
  }
  FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, place_of(ifindex, band),
                                            sizeof(JitterTable) + 1024));
  FL_RETURN_IF_ERROR(put_text(msg, TCA_KIND, std::string(kind_of(params))));
  if (const auto* netem = std::get_if<NetemParams>(&params)) {
    FL_RETURN_IF_ERROR(
        put_nested(msg, TCA_OPTIONS, [&] { return put_netem(msg, *netem, jitter_table(netem->shape)); }));
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
