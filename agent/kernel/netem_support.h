// What the running kernel's netem can do, where kernels differ in it. Asked of a netem in a network namespace
// made for the purpose, which is gone on return. Needs CAP_SYS_ADMIN. Threads: any. Minimum kernel: any with
// sch_prio and sch_netem.
#pragma once

#include "common/status.h"

namespace faultline {

// Whether the seed in NetemParams decides its draws (6.7 and later): where not, no two of them jitter alike.
StatusOr<bool> netem_takes_seed();

// Whether a netem that duplicates may stand beside another netem of the same device (late 2025 to 7.1: not).
StatusOr<bool> netem_duplicates_beside_others();

}  // namespace faultline
