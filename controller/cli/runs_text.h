// Recorded runs, for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "controller/store/result_store.h"

namespace faultline {

std::string runs_text(const std::vector<RunSummary>& runs);
std::string run_text(const StoredRun& run);

}  // namespace faultline
