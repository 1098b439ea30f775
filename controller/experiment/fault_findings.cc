// The findings about how faults were carried out: whether they started together, and how near they came to
// what was asked.
#include <fmt/format.h>

#include <cstdlib>

#include "controller/experiment/describe.h"
#include "controller/experiment/findings.h"

namespace faultline {
namespace {

// Arming that was ready in time is exact: the kernel starts it. What is off is off by much more than this.
constexpr Nanos kStartTolerance = std::chrono::milliseconds(10);

bool is_judged(const v1::Achieved& value) {
  return value.samples() > 0 && (value.tolerated_low() != 0 || value.tolerated_high() != 0);
}

// As the agent tells them, so that NaN lies nowhere.
bool is_within(const v1::Achieved& value) {
  return value.median() >= value.tolerated_low() && value.median() <= value.tolerated_high();
}

std::string achieved_text(const v1::Achieved& value) {
  return fmt::format("{} {:.4g} {} for {:.4g} {} requested, {} {:.4g} to {:.4g} {} ({} samples)",
                     value.name(), value.median(), value.unit(), value.requested(), value.unit(),
                     is_within(value) ? "within" : "outside", value.tolerated_low(), value.tolerated_high(),
                     value.unit(), value.samples());
}

Finding start_finding(const FaultStep& step, const FaultOutcome* fault) {
  Finding finding{fmt::format("start/{}", step.name), FindingResult::kUnknown, "it was never armed"};
  if (fault == nullptr || !fault->planned_start) return finding;
  if (!fault->effective_at) {
    finding.message = fmt::format("it could not be armed: {}", fault->error);
  } else if (never_started(*fault)) {
    finding.message = "it was armed, and ended before its start";
  } else {
    const Nanos late = *fault->effective_at - *fault->planned_start;
    if (std::abs(late.count()) <= kStartTolerance.count()) {
      finding.result = FindingResult::kHeld;
      finding.message = "it started at the planned moment";
    } else {
      finding.message =
          fmt::format("it started {} {} the planned moment", rounded(Nanos(std::abs(late.count()))),
                      late > Nanos::zero() ? "after" : "before");
    }
  }
  return finding;
}

}  // namespace

std::vector<Finding> start_findings(const Experiment& experiment, const RunRecord& record) {
  std::vector<Finding> findings;
  for (const FaultStep* step : together_steps(experiment.method)) {
    findings.push_back(start_finding(*step, outcome_of(record, *step)));
  }
  return findings;
}

std::vector<Finding> fidelity_findings(const Experiment& experiment, const RunRecord& record) {
  std::vector<Finding> findings;
  for (const FaultStep* step : fault_steps(experiment.method)) {
    const FaultOutcome* fault = outcome_of(record, *step);
    if (fault == nullptr) continue;
    Finding finding{fmt::format("fidelity/{}", step->name), FindingResult::kHeld, ""};
    std::string held;
    for (const v1::Achieved& value : fault->status.achieved()) {
      if (!is_judged(value)) continue;
      // What lies outside is told first, and decides.
      std::string& text = is_within(value) ? held : finding.message;
      text += fmt::format("{}{}", text.empty() ? "" : "; ", achieved_text(value));
      if (!is_within(value)) finding.result = FindingResult::kUnknown;
    }
    if (finding.message.empty() && held.empty()) continue;
    if (!held.empty()) finding.message += fmt::format("{}{}", finding.message.empty() ? "" : "; ", held);
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace faultline
