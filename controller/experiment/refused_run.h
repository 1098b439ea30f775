// The record of a run that was refused before anything was touched. Pure.
#pragma once

#include <string>

#include "controller/experiment/record.h"

namespace faultline {

// `asked` holds what is known of it: id, experiment, agent, started, duration. It gets no finding, for
// nothing was looked at, and the outcome that goes with `exit_code`: 2 is REFUSED, which no other run is; 3
// PRECONDITION; 5 STOPPED; anything else INFRASTRUCTURE.
RunRecord refused_run(RunRecord asked, int exit_code, const std::string& reason);

}  // namespace faultline
