// The traffic that no fault touches unless it names it: what a node needs to stay reachable and to end
// faults.
#pragma once

#include <string>
#include <vector>

#include "agent/kernel/net_rules.h"
#include "common/status.h"

namespace faultline {

inline constexpr std::size_t kMaxExemptions = FL_NET_MAX_EXEMPTIONS;

// What is exempt when nobody says otherwise.
std::vector<std::string> usual_exemptions();

// From words, each one of
//   dns         port 53 of any peer
//   metadata    the cloud's metadata address, 169.254.169.254 and fd00:ec2::254
//   api-server  the Kubernetes API server as the environment tells it (KUBERNETES_SERVICE_HOST and _PORT);
//               nothing outside of a cluster
//   kubelet     TCP port 10250 of any peer
//   none        nothing; only alone
//   ADDRESS, NETWORK, ADDRESS:PORT, NETWORK:PORT (IPv6 with a port in brackets: [fd00::1]:443)
// and the agent's own control channel, `listen` (HOST:PORT, or unix:PATH, which is no traffic), which is
// always exempt. InvalidArgument for a word that is none of these, and for too many.
StatusOr<std::vector<Exemption>> make_exemptions(const std::vector<std::string>& words,
                                                 const std::string& listen);

}  // namespace faultline
