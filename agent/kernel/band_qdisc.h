// What shapes the packets of one band of the tree: netem, a token bucket, or a black hole. Sticky: outlives
// its caller, and goes with the tree. BPF decides which packets a band gets, so a band treats all of them
// alike. Minimum kernel: 5.5 (blackhole in every kernel since 4.18, 64-bit netem times since 4.15). Sources:
// linux/pkt_sched.h, net/sched/sch_{netem,tbf,blackhole}.c.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "agent/kernel/jitter_table.h"
#include "agent/kernel/netlink.h"
#include "agent/kernel/qdisc.h"
#include "common/clock.h"
#include "common/status.h"

namespace faultline {

inline constexpr int kNetemPrngSeed = 14;  // TCA_NETEM_PRNG_SEED of 6.7; older kernels pass over it

struct NetemParams {
  Nanos latency{};
  Nanos jitter{};          // at most 2.147 s: netem cuts it there without a word
  double correlation = 0;  // [0, kMostCorrelation]; above 0, the band is of the kind "graded netem"
  JitterShape shape = JitterShape::kUniform;
  bool duplicate = false;  // every packet arrives twice
  bool corrupt = false;    // in every packet one random bit is turned over
  std::uint64_t seed = 0;  // of netem's own draws; kernels before 6.7 take none
};

struct TbfParams {
  std::uint64_t bytes_per_second = 0;  // link headers count
  std::uint32_t burst_bytes = 0;       // 0: chosen by burst_of()
  Nanos max_wait{};                    // who would have to wait longer is dropped
};

// Drops silently: the sender sees success.
struct BlackholeParams {};

using BandParams = std::variant<NetemParams, TbfParams, BlackholeParams>;

// fa22: .. fa30: for bands 2 .. 16, whatever the kind, so that a qdisc of ours is known by its own handle,
// too.
constexpr std::uint32_t band_handle(std::uint32_t band) {
  return 0xfa200000u + (band << 16);
}
std::string_view kind_of(const BandParams& params);  // "netem", "graded netem", "tbf", "blackhole"

// The longest that a packet stays in the band (drops nothing of its own accord before).
Nanos longest_wait(const BandParams& params);

// What passes at once after a pause. Never below one packet of this MTU with its link headers, which would be
// dropped otherwise; segmentation offload needs no more, because the bucket cuts larger ones itself. Chosen:
// on top of that what the rate lets through in 10 ms, for tokens beyond the burst are lost whenever the timer
// is late.
std::uint32_t burst_of(const TbfParams& params, std::uint32_t mtu);

// InvalidArgument: a rate of zero. NotFound: no such device or no tree on it. FailedPrecondition: a netem
// that duplicates is asked for, or is there, beside another netem of the device, and this kernel refuses that
// (late 2025 to 7.1).
Status add_band_qdisc(NetlinkSocket& socket, int ifindex, std::uint32_t band, const BandParams& params);
// NotFound: the band has none of ours, or the tree or the device is gone.
Status remove_band_qdisc(NetlinkSocket& socket, int ifindex, std::uint32_t band);
// NotFound when the band has none of ours.
StatusOr<Qdisc> band_qdisc(NetlinkSocket& socket, int ifindex, std::uint32_t band);

}  // namespace faultline
