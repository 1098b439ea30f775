// Asks the running kernel whether it can shape traffic the way Faultline does.
#pragma once

#include "agent/kernel/band_qdisc.h"
#include "common/status.h"

namespace faultline {

// Builds the tree with a netem band in a network namespace of its own and loads the steering program; both
// are gone on return. The kernel may load sch_prio and sch_netem for it. Unimplemented, with the reason, when
// it cannot; PermissionDenied when this process may not.
Status probe_shaping_support();

// The same of what a band may hold: netem, a token bucket or a black hole.
Status probe_band_support(const BandParams& params);

}  // namespace faultline
