#include "controller/experiment/refused_run.h"

#include <utility>

namespace faultline {
namespace {

Outcome outcome_of(int exit_code) {
  switch (exit_code) {
    case 2:
      return Outcome::kRefused;
    case 3:
      return Outcome::kPrecondition;
    case 5:
      return Outcome::kStopped;
    default:
      return Outcome::kInfrastructure;
  }
}

}  // namespace

RunRecord refused_run(RunRecord asked, int exit_code, const std::string& reason) {
  asked.judgement.outcome = outcome_of(exit_code);
  asked.judgement.exit_code = exit_code;
  asked.judgement.reason = reason;
  return asked;
}

}  // namespace faultline
