// Queueing disciplines over netlink, as far as Faultline needs them: listing, and the neutral prio tree with
// the reserved handle fa17:. What shapes in its bands: band_qdisc.h. Sticky: the tree outlives its caller.
// Sources: linux/pkt_sched.h, net/sched/sch_prio.c.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/kernel/netlink.h"
#include "common/status.h"

namespace faultline {

inline constexpr std::uint32_t kTreeHandle = 0xfa170000;  // fa17:
inline constexpr std::uint32_t kNeutralBand = 1;          // carries what no fault concerns
inline constexpr std::uint32_t kFirstBand = 2;
inline constexpr std::uint32_t kLastBand = 16;  // TCQ_PRIO_BANDS

struct Qdisc {
  int ifindex = 0;
  std::uint32_t parent = 0;  // 0xffffffff: root
  std::uint32_t handle = 0;  // 0: put there by the kernel, not by anybody
  std::string kind;
  std::uint64_t sent = 0;    // packets that have left it
  std::uint64_t bytes = 0;   // that have left it, link headers included
  std::uint32_t queued = 0;  // packets waiting now
  std::uint32_t drops = 0;

  bool is_root() const { return parent == 0xffffffffu; }
};

StatusOr<std::vector<Qdisc>> list_qdiscs(NetlinkSocket& socket);

// Puts the tree on a device whose root qdisc is the kernel's default. AlreadyExists: somebody's qdisc is
// there.
Status add_tree(NetlinkSocket& socket, int ifindex);
// Removes the root qdisc only if it is fa17:. NotFound: it is not there.
Status remove_tree(NetlinkSocket& socket, int ifindex);

}  // namespace faultline
