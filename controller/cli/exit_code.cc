#include "controller/cli/exit_code.h"

#include <cstdio>

#include "controller/cli/text.h"

namespace faultline {

int exit_code_before_run(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return kExitPassed;
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied:
      return kExitUsage;
    case StatusCode::kUnimplemented:
    case StatusCode::kFailedPrecondition:
      return kExitPrecondition;
    default:
      return kExitInfrastructure;
  }
}

int fail(int exit_code, const Status& status) {
  fmt::print(stderr, "{}\n", printable(message_of(status)));
  return exit_code;
}

}  // namespace faultline
