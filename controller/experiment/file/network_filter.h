// Reads `traffic`: which packets a network fault concerns.
#pragma once

#include "common/status.h"
#include "controller/experiment/file/fields.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

// What the kind of fault makes of a filter.
enum class Concerns {
  kPackets,
  kWhatLeaves,      // no direction but egress
  kAttempts,        // the same, and no local ports: there are none yet
  kTcpConnections,  // no direction at all, and TCP alone: ports need no protocol beside them
};

// `node` may be nullptr: not given, so every packet. Contradictions are errors: ports of a protocol that has
// none, an except that swallows all peers, shareOf without share.
StatusOr<v1::NetworkFilter> read_network_filter(const YamlNode* node, Concerns concerns);

}  // namespace faultline
