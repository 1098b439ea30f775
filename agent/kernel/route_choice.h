// Which of a namespace's routes packets to given peers take. Pure, no system calls.
#pragma once

#include <vector>

#include "agent/kernel/ip_network.h"

namespace faultline {

struct Route {
  IpNetwork to;
  bool local = false;  // leads to this namespace's own addresses
  std::vector<int> ifindexes;
};

// The most specific route that covers a whole peer network, and every more specific one inside of it.
// No peers: every route but local ones. Sorted, without repetition.
std::vector<int> ifindexes_towards(const std::vector<Route>& routes, const std::vector<IpNetwork>& peers);

}  // namespace faultline
