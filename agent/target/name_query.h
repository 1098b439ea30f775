// Asks name servers for the addresses of a host, from inside a network namespace, over c-ares: no module of
// the system's own name service takes part, and nothing is read from a file.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "agent/kernel/netns.h"
#include "agent/target/resolver_files.h"
#include "common/clock.h"
#include "common/status.h"

namespace faultline {

// A and AAAA, with the search list, over UDP and, for long answers, TCP. NotFound: the servers know no
// address. Unavailable: no answer in time, or an error. Cancelled: stopped.
StatusOr<std::vector<IpNetwork>> query_addresses(const Netns& netns, const ResolverSettings& settings,
                                                 const std::string& name, Nanos patience,
                                                 std::stop_token stop);

}  // namespace faultline
