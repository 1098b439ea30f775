// Two nftables rules that lead packets of a device around it and back: what leaves `device` with a
// skb->priority of fa17:0 to fa17:1f leaves `entry` instead, and whatever arrives at `exit` leaves `device`.
// Auto: the kernel removes the table with the socket that made it, however its owner ends; nobody else can
// change it meanwhile. Minimum kernel: 5.16 (netfilter's egress hook), nf_tables with nft_fwd_netdev.
// Sources: linux/netfilter/nf_tables.h, net/netfilter/nft_fwd_netdev.c.
#pragma once

#include <memory>

#include "agent/kernel/netns.h"
#include "agent/kernel/route.h"
#include "common/status.h"

struct mnl_socket;

namespace faultline {

class ForwardRules {
 public:
  // All three devices are in this namespace. AlreadyExists: `device` has such rules.
  static StatusOr<std::unique_ptr<ForwardRules>> make(const Netns& netns, const Device& device,
                                                      const Device& entry, const Device& exit);
  ~ForwardRules();  // no packet is on its way through a rule any more on return
  ForwardRules(const ForwardRules&) = delete;
  ForwardRules& operator=(const ForwardRules&) = delete;

 private:
  explicit ForwardRules(mnl_socket* socket) : socket_(socket) {}

  mnl_socket* socket_;
};

}  // namespace faultline
