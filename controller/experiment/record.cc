#include "controller/experiment/record.h"

namespace faultline {

bool never_started(const FaultOutcome& fault) {
  return fault.planned_start && fault.status.state() == v1::FAULT_STATE_ENDED &&
         !fault.status.has_effective_at();
}

bool in_place(const FaultOutcome& fault) {
  return fault.status.state() == v1::FAULT_STATE_ACTIVE || fault.status.state() == v1::FAULT_STATE_ARMED;
}

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "PASSED";
    case Outcome::kFailed:
      return "FAILED";
    case Outcome::kPrecondition:
      return "PRECONDITION";
    case Outcome::kInconclusive:
      return "INCONCLUSIVE";
    case Outcome::kStopped:
      return "STOPPED";
    case Outcome::kResidue:
      return "RESIDUE";
    case Outcome::kInfrastructure:
      return "INFRASTRUCTURE";
    case Outcome::kRefused:
      return "REFUSED";
  }
  return "INFRASTRUCTURE";
}

const char* to_string(HealthState state) {
  switch (state) {
    case HealthState::kHealthy:
      return "HEALTHY";
    case HealthState::kDegraded:
      return "DEGRADED";
    case HealthState::kUnhealthy:
      return "UNHEALTHY";
    case HealthState::kUnknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

const char* to_string(Phase phase) {
  switch (phase) {
    case Phase::kBaseline:
      return "baseline";
    case Phase::kInject:
      return "inject";
    case Phase::kObserve:
      return "observe";
    case Phase::kRemove:
      return "remove";
    case Phase::kRecover:
      return "recover";
  }
  return "baseline";
}

const char* to_string(FindingResult result) {
  switch (result) {
    case FindingResult::kHeld:
      return "HELD";
    case FindingResult::kViolated:
      return "VIOLATED";
    case FindingResult::kUnknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

}  // namespace faultline
