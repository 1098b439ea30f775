// Filters on the tree fa17: that let a BPF program choose a packet's band by its return value: the classid
// fa17:BAND, or 0 for "not mine", whereupon the next filter is asked and at last the tree's own rule holds
// (band 1). They are asked for packets whose skb->priority names no band already. Sticky: they outlive their
// maker, and go with the tree; filter_stub.h makes them inert without it. Minimum kernel: 4.13. Source:
// net/sched/cls_bpf.c.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/kernel/netlink.h"
#include "agent/kernel/qdisc.h"
#include "common/status.h"

namespace faultline {

struct TreeFilter {
  std::uint32_t handle = 0;
  std::string name;
  std::uint32_t program_id = 0;
};

// `program_fd`: of the type BPF_PROG_TYPE_SCHED_CLS. `handle` (not 0) tells the filters of one qdisc apart.
// `qdisc`: the tree, or a prio in one of its bands. AlreadyExists: that handle is taken. InvalidArgument,
// NotFound: there is no such qdisc on the device.
Status add_tree_filter(NetlinkSocket& socket, int ifindex, std::uint32_t handle, int program_fd,
                       const std::string& name, std::uint32_t qdisc = kTreeHandle);
// NotFound: no such filter, or no tree.
Status remove_tree_filter(NetlinkSocket& socket, int ifindex, std::uint32_t handle);
// By handle; empty where there is no tree.
StatusOr<std::vector<TreeFilter>> list_tree_filters(NetlinkSocket& socket, int ifindex);

}  // namespace faultline
