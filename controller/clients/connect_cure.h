// What to do where the agent cannot be reached. Looks at the unix socket itself, which tells more than the
// transport does; any thread.
#pragma once

#include <string>

#include "controller/clients/agent_address.h"

namespace faultline {

// One line for people: why nobody answers there and what to do about it. `transport_says` is told where the
// socket does not know better.
std::string connect_cure(const AgentAddress& address, const std::string& transport_says);

}  // namespace faultline
