// Which traffic a fault is about, and whether two can meet: on one target, and on one packet of it. Pure.
#pragma once

#include <string_view>

#include "faultline/v1/fault.pb.h"

namespace faultline {

enum class Meet { kNo, kMay, kYes };

inline Meet both(Meet a, Meet b) {
  return a < b ? a : b;
}

// Targets as in target.h. Paths of cgroups that lie apart are not the same; other different texts may be.
Meet same_target(std::string_view a, std::string_view b);

// Whether some packet (connection attempt, connection, query: what the kinds are about) can match both.
// Chance, shares and pulses are left aside.
Meet same_packets(const v1::FaultSpec& a, const v1::FaultSpec& b);

// A fault's filter; the one that matches everything where its kind takes none (dns).
const v1::NetworkFilter& traffic_of(const v1::FaultSpec& spec);

// What the filter comes to, with what the kind itself decides. A direction has no meaning for reset and dns.
v1::Protocol protocol_of(const v1::FaultSpec& spec);
v1::Direction direction_of(const v1::FaultSpec& spec);

// What the kind is about: "packets", "connection attempts", "connections", "queries".
std::string_view subject_of(const v1::FaultSpec& spec);

}  // namespace faultline
