// The tcp check: healthy when a TCP connection to the address comes to stand; it is closed at once. A name
// with several addresses is healthy when one of them accepts.
#pragma once

#include <memory>

#include "common/status.h"
#include "controller/health/health_adapter.h"

namespace faultline {

StatusOr<std::unique_ptr<HealthAdapter>> make_tcp_adapter(const TcpCheck& check);

}  // namespace faultline
