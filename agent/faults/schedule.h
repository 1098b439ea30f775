// When a fault is in force, in the form that bpf/abi/schedule.h tells it by. Pure.
#pragma once

#include <string>

#include "agent/fault/fault.h"
#include "bpf/abi/schedule.h"
#include "common/status.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

// InvalidArgument unless a pulse, where there is one, is on and off for a millisecond to an hour each.
Status check_pulse(const v1::FaultSpec& spec);

// From the request's start to its deadline, with the spec's pulse, which check_pulse has accepted.
fl_schedule to_schedule(const FaultRequest& request);

// For people: "on for 200 ms, off for 800 ms, from the start on"; empty without a pulse.
std::string describe_pulse(const v1::FaultSpec& spec);

}  // namespace faultline
