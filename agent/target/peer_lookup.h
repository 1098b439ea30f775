// Which addresses a peer of a target has now. Nothing is remembered; ask again to keep it fresh. A host name
// is looked up as the target would: in its hosts file, then at its name servers, from inside its network
// namespace. Only these two files are read from the target, and no code of it is run. Safe to use from
// several threads.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "agent/kernel/ip_network.h"
#include "agent/target/target.h"
#include "common/status.h"

namespace faultline {

class PeerLookup {
 public:
  explicit PeerLookup(const TargetResolver& targets) : targets_(targets) {}

  // Never empty. `peer` is an address, a network, another target on this node (container:, cgroup:, pid:; the
  // addresses of its network namespaces, without loopback and link-local ones) or a host name. Takes about
  // two seconds at most. NotFound: no such target or name, or it has no address. Unavailable: the name
  // servers do not answer. Cancelled: stopped.
  StatusOr<std::vector<IpNetwork>> lookup(const std::string& peer, const Target& target,
                                          std::stop_token stop) const;

 private:
  const TargetResolver& targets_;
};

}  // namespace faultline
