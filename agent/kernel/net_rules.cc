#include "agent/kernel/net_rules.h"

#include <algorithm>

namespace faultline {

std::vector<fl_net_rule> rules_of(const PacketMatch& match, std::uint8_t fault) {
  std::vector<fl_net_rule> by_peer;
  for (const IpNetwork& peer : match.peers) {
    fl_net_rule rule{};
    rule.family = peer.v6 ? FL_NET_IPV6 : FL_NET_IPV4;
    std::copy(peer.addr.begin(), peer.addr.end(), rule.addr);
    std::copy(peer.mask.begin(), peer.mask.end(), rule.mask);
    by_peer.push_back(rule);
  }
  if (by_peer.empty()) by_peer.push_back(fl_net_rule{});

  std::vector<fl_net_rule> rules;
  for (fl_net_rule rule : by_peer) {
    rule.fault = fault;
    rule.protocol = static_cast<std::uint8_t>(match.protocol);
    if (match.ports.empty()) rules.push_back(rule);
    for (const PortSpan& span : match.ports) {
      rule.by_port = 1;
      rule.port_first = span.first;
      rule.port_last = span.last;
      rules.push_back(rule);
    }
  }
  return rules;
}

std::uint64_t dice_threshold(double probability) {
  constexpr double kAlways = 4294967296.0;  // 2^32
  return static_cast<std::uint64_t>(std::clamp(probability, 0.0, 1.0) * kAlways + 0.5);
}

}  // namespace faultline
