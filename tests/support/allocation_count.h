// How often this process has asked for memory so far: every malloc, calloc, realloc and aligned allocation,
// and with them every new. Link allocation_count.cc.
#pragma once

namespace faultline::testing {

unsigned long allocations();

}  // namespace faultline::testing
