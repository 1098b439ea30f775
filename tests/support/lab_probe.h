// Numbered datagrams at an even pace to an echo server, for as long as it shall last: what tells when a fault
// begins and when it is over.
#pragma once

#include <cstdint>
#include <string>

namespace faultline::testing {

// Sends one every `interval_us` until the next line comes on stdin (which it takes), then waits `wait_ms` for
// the last echoes -> "SENT REFUSED RECEIVED", then "SENT_NS RTT_NS" for each (CLOCK_MONOTONIC; RTT -1: no
// echo). One that is late is sent at once and those that it has missed are left out, so that a busy machine
// gets no burst.
std::string probe(const std::string& to, int port, std::int64_t interval_us, std::int64_t wait_ms);

}  // namespace faultline::testing
