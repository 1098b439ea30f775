// The checked statements of a run, one function a group; judge.h says what they are named. Pure.
#pragma once

#include <vector>

#include "controller/experiment/record.h"
#include "controller/experiment/recovery_watch.h"

namespace faultline {

// One finding a probe: it was healthy for the whole baseline.
std::vector<Finding> baseline_findings(const Experiment& experiment, const RunRecord& record);

// One finding a fault step: the kernel saw it act, for as long as it was asked to. Violated: not effective,
// with the faults that had its packets instead.
std::vector<Finding> effect_findings(const Experiment& experiment, const RunRecord& record);

// One finding a fault step of a together block. Held: it started at the planned moment. Never violated.
std::vector<Finding> start_findings(const Experiment& experiment, const RunRecord& record);

// One finding a fault step of which the agent judged at least one value. Held: every such value lies within
// what is tolerated; else unknown, because the experiment asked for another fault than it got.
std::vector<Finding> fidelity_findings(const Experiment& experiment, const RunRecord& record);

// One finding a probe; `summaries` in the order of the probes.
std::vector<Finding> tolerance_findings(const Experiment& experiment,
                                        const std::vector<ProbeSummary>& summaries);

// One finding a probe; `recovery` as in summarize_probe().
std::vector<Finding> recovery_findings(const Experiment& experiment, const RunRecord& record,
                                       const RecoveryWatch* recovery);

// One finding a stop condition. Violated: it fired.
std::vector<Finding> stop_findings(const Experiment& experiment, const RunRecord& record);

// One finding a fault step. Violated: something of it was left. Unknown: not proved that nothing was left.
std::vector<Finding> residue_findings(const Experiment& experiment, const RunRecord& record);

// The outcome of a step; nullptr when its apply was never called.
const FaultOutcome* outcome_of(const RunRecord& record, const FaultStep& step);

}  // namespace faultline
