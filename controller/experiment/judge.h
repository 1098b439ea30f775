// The verdict on a run: a pure function of the experiment and of what was recorded. No clock, no I/O; any
// thread. docs/experiments.md tells people the same rules.
#pragma once

#include "controller/experiment/model.h"
#include "controller/experiment/record.h"

namespace faultline {

// What the record must hold:
// - `samples` in the order of arrival, those of one probe in the order of sending;
// - in `faults`, one entry for every fault step whose apply was called, in any order, under the step's name;
//   effective_at set when it was applied; `error` set when it was not;
// - `interruption` and its detail, `phases` and `duration`.
// `judgement` is not read.
//
// Findings: baseline/PROBE, tolerance/PROBE, recovery/PROBE, stop/PROBE/STATE, effect/FAULT, residue/FAULT,
// and start/FAULT for the faults of together blocks: the same ones in the same order for every run of the
// same experiment. Beside them fidelity/FAULT, where the agent judged how near the fault came to what was
// asked.
//
// Outcome, the worst that is true: residue > infrastructure > stopped > failed > inconclusive > passed; or
// precondition, when the run ended before anything was injected because the steady state did not hold.
Judgement judge(const Experiment& experiment, const RunRecord& record);

}  // namespace faultline
