// Runs an experiment: baseline -> inject -> observe -> remove -> recover -> judge.
#pragma once

#include <string>

#include "common/clock.h"
#include "controller/experiment/model.h"
#include "controller/experiment/preflight.h"
#include "controller/experiment/record.h"
#include "controller/experiment/run_parts.h"

namespace faultline {

// A run that has been given its name and its start, before anything was touched.
struct BegunRun {
  RunRecord record;  // id, experiment, agent, versions, started
  MonoTime start;    // the same moment as record.started
};

BegunRun begin_run(const Experiment& experiment, const std::string& run_id, const std::string& agent_address,
                   const Preflight& checked);

// Runs it to its end and judges it. Blocks; uses threads of its own, all ended on return. Whatever happens (a
// failing probe, a stop condition, the halt lever, a signal, a lost agent, an exception in here), no fault
// that was applied is left without a revert, and what could not be confirmed is told in the record. Never
// fails: trouble is an outcome.
RunRecord run_experiment(const Experiment& experiment, const Preflight& checked, BegunRun begun,
                         RunParts parts);

}  // namespace faultline
