// Which traffic a fault is about, for people. Pure.
#pragma once

#include <string>

#include "faultline/v1/fault.pb.h"

namespace faultline {

// One line with the words of the experiment file, and what it leaves out told as what that means:
// "traffic: egress; peers: 10.0.0.7, db.example; protocol: tcp; ports: 5432".
std::string traffic_text(const v1::FaultSpec& spec);

}  // namespace faultline
