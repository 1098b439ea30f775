// What a run would do, for people. Pure.
#pragma once

#include <string>

#include "controller/experiment/model.h"
#include "controller/experiment/preflight.h"

namespace faultline {

std::string plan_text(const Experiment& experiment, const Preflight& checked,
                      const std::string& agent_address);

}  // namespace faultline
