// What a node can do, in three forms. Pure.
#pragma once

#include <string>

#include "faultline/v1/agent.pb.h"

namespace faultline {

std::string doctor_text(const v1::CapabilitiesResponse& node, const std::string& agent_address);
std::string doctor_markdown(const v1::CapabilitiesResponse& node);
std::string doctor_json(const v1::CapabilitiesResponse& node);

}  // namespace faultline
