// Wrong answers to the target's DNS queries, by name: NXDOMAIN, SERVFAIL, none, late, or other addresses.
// Queries to port 53 of any server go to a responder of the agent's inside the target's network namespace
// (dns_tap.h), which has the true server answer whatever no fault concerns. Auto: everything. Minimum
// kernel: 5.14, cgroup v2.
#pragma once

#include <memory>

#include "agent/fault/fault.h"

namespace faultline {

std::unique_ptr<FaultKind> make_dns();

}  // namespace faultline
