// The end of `faultline run`: verdict, findings, requested against achieved, counters, residue. Pure.
#pragma once

#include <string>

#include "controller/experiment/record.h"

namespace faultline {

std::string run_summary(const RunRecord& run);

}  // namespace faultline
