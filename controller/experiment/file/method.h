// Reads `method`: faults, waits, and blocks of them.
#pragma once

#include "common/status.h"
#include "controller/experiment/file/fields.h"
#include "controller/experiment/model.h"

namespace faultline {

// `experiment` is the whole file's mapping. The block holds at least one fault, and no fault name twice.
StatusOr<Block> read_method(const Fields& experiment);

}  // namespace faultline
