// Delays that are correlated: a prio qdisc of sixteen netems, each for delays of one grade (jitter_grades.h),
// and a BPF filter that chooses the packet's grade. netem's own correlation has no effect on delays: it takes
// the remainder of the correlated number by the size of its table, that is the low bits, which are as random
// as ever. Sticky, with all that is in it, and inert like every band. Minimum kernel: 5.5. Sources:
// net/sched/sch_{prio,netem}.c, cls_bpf.c.
#pragma once

#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/netlink.h"
#include "common/status.h"

namespace faultline {

// Handles fb20: .. fc0f:, by band and grade.
constexpr std::uint32_t grade_handle(std::uint32_t band, std::uint32_t grade) {
  return 0xfb000000u + (((band << 4) | grade) << 16);
}
// Whether it is part of a band: it comes and goes with that.
bool is_grade(const Qdisc& qdisc);

// Where add_band_qdisc() puts a netem with a correlation; on an error it takes back what it has
// begun.
Status add_graded_netem(NetlinkSocket& socket, int ifindex, std::uint32_t band, const NetemParams& params);

}  // namespace faultline
