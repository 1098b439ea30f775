// Which of the packets (queries, attempts) that a fault concerns are hit: from a Selection message to the
// form that bpf/abi/selection.h decides by. Pure.
#pragma once

#include <string>
#include <string_view>

#include "bpf/abi/selection.h"
#include "common/status.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

// InvalidArgument, naming the field after `kind`, for values out of range, for one that names no way to
// choose, and for bursts that never hit.
Status check_selection(const v1::Selection& selection, std::string_view kind);

// Of a selection that check_selection accepts. One that names no way to choose hits everything.
fl_selection to_selection(const v1::Selection& selection);

// For people: "10 % of them", "every 3rd of them", "the first 5 of them".
std::string describe(const v1::Selection& selection);

}  // namespace faultline
