// Reads `steadyState`: the probes, how they are asked, and what they may answer while faults are active.
#pragma once

#include "common/status.h"
#include "controller/experiment/file/yaml_tree.h"
#include "controller/experiment/model.h"

namespace faultline {

StatusOr<SteadyState> read_steady_state(const YamlNode& node);

}  // namespace faultline
