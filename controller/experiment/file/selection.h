// Reads which of the packets (or queries) that a fault concerns are hit: one of the keys `probability`,
// `every`, `first` and `bursts` in the fault's own mapping.
#pragma once

#include "common/status.h"
#include "controller/experiment/file/fields.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

// `fields` were opened with kSelectionWords as choices, one of which is given.
StatusOr<v1::Selection> read_selection(const Fields& fields);

}  // namespace faultline
