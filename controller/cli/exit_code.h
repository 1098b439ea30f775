// What `faultline` tells its caller by the exit code; the table in the design and in docs/experiments.md.
#pragma once

#include "common/status.h"

namespace faultline {

enum ExitCode : int {
  kExitPassed = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitPrecondition = 3,
  kExitInconclusive = 4,
  kExitStopped = 5,
  kExitResidue = 6,
  kExitInfrastructure = 7,
  kExitSignal = 130,
};

// For an error before anything was touched: what the user asked for is wrong (2), this node cannot do it (3),
// or the test stack is not well (7).
int exit_code_before_run(const Status& status);

// Prints the error to stderr and gives the code back.
int fail(int exit_code, const Status& status);

}  // namespace faultline
