// What a node can do, in three forms. Pure.
#pragma once

#include <string>

#include "faultline/v1/agent.pb.h"

namespace faultline {

std::string doctor_text(const v1::CapabilitiesResponse& node, const std::string& agent_address);
// A section: the kernel's series as its heading, and a row a kind. tests/kernel/kernel-support reads it.
std::string doctor_markdown(const v1::CapabilitiesResponse& node);
std::string doctor_json(const v1::CapabilitiesResponse& node);

}  // namespace faultline
