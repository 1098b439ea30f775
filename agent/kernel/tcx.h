// A BPF program on the way out of a network device, without a qdisc: it comes and goes without touching a
// packet of anybody. Auto: gone with the descriptor. Minimum kernel: 6.6. Source: linux/bpf.h
// (BPF_TCX_EGRESS).
#pragma once

#include "agent/kernel/netns.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace faultline {

// The program, of the type BPF_PROG_TYPE_SCHED_CLS, is asked before all others on the device, and the others
// unless it decides. NotFound: the device is gone.
StatusOr<UniqueFd> attach_tcx_egress(const Netns& netns, int ifindex, int program_fd);

// Attaches a program that lets everything pass, and lets it go again.
Status try_tcx_egress(const Netns& netns, int ifindex);

}  // namespace faultline
