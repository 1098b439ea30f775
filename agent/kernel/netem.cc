#include "agent/kernel/netem.h"

#include <linux/pkt_sched.h>

#include <algorithm>

#include "agent/kernel/tc_message.h"

namespace faultline {
namespace {

constexpr std::uint32_t kAlways = ~0u;

// netem drops what is beyond its limit, so the limit must hold all that can be under way: a million packets a
// second for as long as they wait.
std::uint32_t queue_limit(const NetemParams& params) {
  constexpr double kPacketsPerSecond = 1e6;
  const double wait_s = std::chrono::duration<double>(longest_wait(params)).count();
  return static_cast<std::uint32_t>(std::clamp(wait_s * kPacketsPerSecond, 1000.0, 4e6));
}

}  // namespace

Status put_netem(NlMsg& msg, const NetemParams& params, std::span<const std::int16_t> table) {
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
  // The uniform shape, too: netem's own way to draw it, a remainder, moves the mean where the jitter is
  // large.
  return put_bytes(msg, TCA_NETEM_DELAY_DIST, table.data(), table.size_bytes());
}

}  // namespace faultline
