// From a Dns message to the rule that a responder follows. Pure.
#pragma once

#include <string>

#include "agent/dns/rules.h"
#include "common/status.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

// Everything but the schedule. InvalidArgument, naming the value, for a bad pattern, address, delay, choice
// of queries or pulse, and for values that the answer asked for has no use for.
StatusOr<DnsRule> to_dns_rule(const v1::FaultSpec& spec);

// For people: "queries for *.example.com: every 3rd of them, answered NXDOMAIN".
std::string describe_dns(const v1::FaultSpec& spec);

}  // namespace faultline
