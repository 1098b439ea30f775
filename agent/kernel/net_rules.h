// Which packets a network fault concerns, and the form the steering program compares them in. Pure, no system
// calls.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/kernel/ip_network.h"
#include "bpf/abi/net_steer.h"

namespace faultline {

struct PortSpan {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

// Empty lists mean "any".
struct PacketMatch {
  std::vector<IpNetwork> peers;
  std::vector<IpNetwork> except;  // wins over peers
  std::vector<PortSpan> ports;    // of the peer
  std::vector<PortSpan> local_ports;
  fl_net_protocol protocol = FL_NET_PROTO_ANY;
};

// The rules one match takes: peers x port spans, all feeding the fault with this index.
std::vector<fl_net_rule> rules_of(const PacketMatch& match, std::uint8_t fault);

// What the dice of bpf/abi/dice.h must stay below to inject with this probability; 2^32: always.
std::uint64_t dice_threshold(double probability);

}  // namespace faultline
