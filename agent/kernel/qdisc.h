// Queueing disciplines over netlink, as far as Faultline needs them: listing, the neutral prio tree with the
// reserved handle fa17:, and netem in one of its bands. Sticky: everything here outlives its caller.
// Minimum kernel: 4.15 (64-bit netem times). Sources: linux/pkt_sched.h, net/sched/{sch_prio,sch_netem}.c.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/kernel/netlink.h"
#include "common/clock.h"
#include "common/status.h"

namespace faultline {

inline constexpr std::uint32_t kTreeHandle = 0xfa170000;  // fa17:
inline constexpr std::uint32_t kFirstBand = 2;            // fa17:1 carries what no fault concerns
inline constexpr std::uint32_t kLastBand = 16;            // TCQ_PRIO_BANDS

struct Qdisc {
  int ifindex = 0;
  std::uint32_t parent = 0;  // 0xffffffff: root
  std::uint32_t handle = 0;  // 0: put there by the kernel, not by anybody
  std::string kind;
  std::uint64_t sent = 0;    // packets that have left it
  std::uint32_t queued = 0;  // packets waiting now
  std::uint32_t drops = 0;

  bool is_root() const { return parent == 0xffffffffu; }
};

struct NetemParams {
  Nanos latency{};
  Nanos jitter{};         // uniform, plus or minus
  bool drop_all = false;  // drop silently: the sender sees success
};

StatusOr<std::vector<Qdisc>> list_qdiscs(NetlinkSocket& socket);

// Puts the tree on a device whose root qdisc is the kernel's default. AlreadyExists: somebody's qdisc is
// there.
Status add_tree(NetlinkSocket& socket, int ifindex);
// Removes the root qdisc only if it is fa17:. NotFound: it is not there.
Status remove_tree(NetlinkSocket& socket, int ifindex);

Status add_netem(NetlinkSocket& socket, int ifindex, std::uint32_t band, const NetemParams& params);
Status remove_netem(NetlinkSocket& socket, int ifindex, std::uint32_t band);
// The netem of a band of ours; NotFound when there is none.
StatusOr<Qdisc> netem_in_band(NetlinkSocket& socket, int ifindex, std::uint32_t band);

}  // namespace faultline
