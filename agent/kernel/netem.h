// What netem is told in a netlink message. Sources: linux/pkt_sched.h, net/sched/sch_netem.c.
#pragma once

#include <cstdint>
#include <span>

#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/netlink.h"
#include "common/status.h"

namespace faultline {

// To be put inside TCA_OPTIONS. `table`: of what the jitter is drawn, where there is any; ascending entries
// as in jitter_table.h, as many as wanted. params.correlation and params.shape do not matter here.
Status put_netem(NlMsg& msg, const NetemParams& params, std::span<const std::int16_t> table);

}  // namespace faultline
