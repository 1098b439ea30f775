// What the samples say about one probe while faults were active and after. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "controller/experiment/record.h"
#include "controller/experiment/recovery_watch.h"

namespace faultline {

// From the first apply to the last removal: the samples that tolerances count.
bool while_active(const Sample& sample);

// `recovery` has been fed with all samples of the record; nullptr when there was no removal to recover from.
ProbeSummary summarize_probe(const Experiment& experiment, const RunRecord& record, std::size_t probe,
                             const RecoveryWatch* recovery);

}  // namespace faultline
