// A small run, whole and consistent, for the tests of what is made of runs.
#pragma once

#include <string>

#include "controller/experiment/model.h"
#include "controller/experiment/record.h"

namespace faultline {

// One probe "gateway"; one fault "slow-metrics", a delay of 200 ms.
Experiment sample_experiment();

// It passed: three samples, degraded in between, recovered.
RunRecord sample_run(const std::string& id = "20260131T101502Z-3f9a");

// A golden text with @VERSION@ replaced by the version of this build.
std::string with_version(std::string golden);

}  // namespace faultline
