// Where the controller keeps what outlives a run: the results, the reports, the halt lever.
#pragma once

#include <string>

#include "common/status.h"

namespace faultline {

// $XDG_STATE_HOME/faultline, or ~/.local/state/faultline where that is unset, empty or (as the XDG
// specification asks) not absolute. Creates nothing. FAILED_PRECONDITION: no home directory is known either.
StatusOr<std::string> state_dir();

}  // namespace faultline
