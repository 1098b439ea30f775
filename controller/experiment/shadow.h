// Which other faults of a run had the packets that one of its faults was to have. Pure.
#pragma once

#include <string>

#include "controller/experiment/record.h"

namespace faultline {

// Of a fault that matched nothing: a clause for each fault that goes, or may go, before it on the same
// packets (overlap.h), was in force at the same time, and was seen to have some. Empty: it did match some, or
// there is no such fault, as far as the experiment and the record can tell; faults of other runs are not
// known here. `step` is one of the experiment's.
std::string shadow_text(const Experiment& experiment, const RunRecord& record, const FaultStep& step);

}  // namespace faultline
