// The http check: one GET on a new connection, redirects not followed, proxies of the environment ignored.
// The status decides first, then (if asked) the JSON value in the body.
#pragma once

#include <memory>
#include <string>

#include "common/status.h"
#include "controller/health/health_adapter.h"

namespace faultline {

StatusOr<std::unique_ptr<HealthAdapter>> make_http_adapter(const HttpCheck& check);

// What a complete answer says about health; pure. `body_cut`: the body was longer than is read.
struct HttpVerdict {
  HealthState state = HealthState::kUnknown;
  std::string detail;
};
HttpVerdict judge_answer(const HttpCheck& check, long status, const std::string& body, bool body_cut);

}  // namespace faultline
