// A fault's numbers as one line of text. Pure.
#pragma once

#include <string>

#include "faultline/v1/agent.pb.h"

namespace faultline {

// "latency requested 200 ms, achieved median 200.7 ms (p05 181.2, p95 219.4, 412 samples)"
std::string achieved_text(const v1::Achieved& achieved);

// "evaluated 1200, matched 412, injected 412"
std::string counters_text(const v1::Counters& counters);

}  // namespace faultline
