// Executes the method of an experiment: its faults and waits, serial and parallel.
#pragma once

#include "controller/experiment/model.h"
#include "controller/experiment/preflight.h"
#include "controller/experiment/run_parts.h"
#include "controller/experiment/run_state.h"

namespace faultline {

// Returns when the method is through, or the run was interrupted and every fault is removed (or its removal
// is recorded as not confirmed). Does not throw.
void run_method(const Experiment& experiment, const Preflight& checked, const std::string& run_id,
                RunState& state, AgentClient& agent, const RunTiming& timing) noexcept;

}  // namespace faultline
