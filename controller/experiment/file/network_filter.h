// Reads `traffic: {peers, ports, protocol}`: which packets a network fault concerns.
#pragma once

#include "common/status.h"
#include "controller/experiment/file/fields.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

// `node` may be nullptr: not given, so every packet. Addresses and ports are checked as in addresses.h.
StatusOr<v1::NetworkFilter> read_network_filter(const YamlNode* node);

}  // namespace faultline
