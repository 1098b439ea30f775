// Resets: the target's live TCP connections that match are destroyed (SOCK_DESTROY over sock_diag): their
// peers get a RST, the target's sockets an error. At the start, and again at an interval. Auto: there is
// nothing to take away. Minimum kernel: 5.9 with CONFIG_INET_DIAG_DESTROY, cgroup v2.
#pragma once

#include <memory>

#include "agent/fault/fault.h"
#include "agent/target/peer_lookup.h"

namespace faultline {

std::unique_ptr<FaultKind> make_reset(const PeerLookup& lookup);

}  // namespace faultline
