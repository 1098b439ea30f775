// Which traffic a network fault concerns, and the index over all faults' filters that the steering programs
// search (bpf/abi/net_index.h). Pure, no system calls.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/kernel/ip_network.h"
#include "bpf/abi/net_steer.h"
#include "common/status.h"

namespace faultline {

struct PortSpan {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

// Empty lists mean "any".
struct PacketMatch {
  std::vector<IpNetwork> peers{};
  std::vector<IpNetwork> except{};  // wins over peers
  std::vector<PortSpan> ports{};    // of the peer
  std::vector<PortSpan> local_ports{};
  fl_net_protocol protocol = FL_NET_PROTO_ANY;
};

// Traffic that no fault may touch, unless it asks to.
struct Exemption {
  std::string name;  // "dns"
  PacketMatch match;
};

// How many rules a match takes: each address, network and port range is one, and a match without any is one.
std::size_t rules_in(const PacketMatch& match);

// ResourceExhausted when there are more filters than bits or more spans than room; with at most
// FL_NET_MAX_RULES rules in all there is room.
Status build_index(std::span<const PacketMatch* const> matches, fl_net_index& index);

// What the dice of bpf/abi/dice.h must stay below to hit with this probability; 2^32: always.
std::uint64_t dice_threshold(double probability);

}  // namespace faultline
