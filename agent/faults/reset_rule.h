// From a Reset message to which connections are torn down, and when. Pure.
#pragma once

#include <optional>
#include <string>

#include "agent/faults/net_filter.h"
#include "agent/kernel/tcp_connection.h"
#include "common/clock.h"
#include "common/status.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

struct ResetRule {
  TrafficFilter filter;
  PacketMatch match;        // what the filter says without looking anything up
  std::uint64_t share = 0;  // concerned when the dice are below; 2^32: always
  std::uint64_t seed = 0;
  Nanos every{};  // 0: once
};

// InvalidArgument, naming the value, for a filter that makes no sense or is about anything but TCP, for a
// direction (there is none to a connection's end), and for a time between rounds that is not from 10 ms to
// one hour.
StatusOr<ResetRule> to_reset_rule(const v1::FaultSpec& spec);

// The same connection sticks to its fate.
bool concerns(const ResetRule& rule, const TcpConnection& connection);

// When the first round after `now` is due; nullopt: there is none.
std::optional<MonoTime> next_round(MonoTime start, Nanos every, MonoTime now);

// For people: "20 % of them are reset, and again every 500 ms".
std::string describe_reset(const v1::FaultSpec& spec);

}  // namespace faultline
