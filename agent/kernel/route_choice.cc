#include "agent/kernel/route_choice.h"

#include <algorithm>

namespace faultline {

std::vector<int> ifindexes_towards(const std::vector<Route>& routes, const std::vector<IpNetwork>& peers) {
  std::vector<int> found;
  const auto take = [&](const Route& route) {
    found.insert(found.end(), route.ifindexes.begin(), route.ifindexes.end());
  };
  for (const IpNetwork& peer : peers) {
    int longest = -1;
    for (const Route& route : routes) {
      if (route.to.contains(peer)) longest = std::max(longest, route.to.prefix);
    }
    for (const Route& route : routes) {
      const bool covers = route.to.contains(peer) && route.to.prefix == longest;
      const bool inside = !route.local && peer.contains(route.to) && route.to.prefix > peer.prefix;
      if (covers || inside) take(route);
    }
  }
  if (peers.empty()) {
    for (const Route& route : routes) {
      if (!route.local) take(route);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace faultline
