#include "controller/experiment/shadow.h"

#include <fmt/format.h>

#include "controller/experiment/findings.h"
#include "controller/experiment/overlap.h"
#include "controller/experiment/traffic_match.h"

namespace faultline {
namespace {

// An end that was not confirmed lies after everything else.
bool at_the_same_time(const FaultOutcome& a, const FaultOutcome& b) {
  if (!a.effective_at || !b.effective_at) return false;
  return (!b.removed_at || *a.effective_at < *b.removed_at) &&
         (!a.removed_at || *b.effective_at < *a.removed_at);
}

// One that starts at once is in force when it is applied, and the node's clock tells these moments apart. Of
// an armed one only the call is known.
bool surely_applied_before(const FaultOutcome& a, const FaultOutcome& b) {
  if (!a.planned_start && !b.planned_start) return *a.effective_at < *b.effective_at;
  return a.applied.latest && *a.applied.latest < b.applied.earliest;
}

// Why `other` goes before `step`; empty: it does not. As it was, not as it was planned: an earlier step that
// ended early may have turned the order over.
std::string why_first(const FaultStep& step, const FaultOutcome& fault, const FaultStep& other,
                      const FaultOutcome& others) {
  const std::int32_t priority = step.spec.priority();
  const std::int32_t others_priority = other.spec.priority();
  if (others_priority != priority) {
    if (others_priority < priority) return "";
    return fmt::format("its priority is {}, this one's {}", others_priority, priority);
  }
  if (surely_applied_before(others, fault)) return "it was applied first";
  if (surely_applied_before(fault, others)) return "";
  return "their priority is the same, and the one applied first has them";
}

}  // namespace

std::string shadow_text(const Experiment& experiment, const RunRecord& record, const FaultStep& step) {
  std::string text;
  const FaultOutcome* fault = outcome_of(record, step);
  // One that matched packets had them itself, and hit none of them by chance.
  if (fault == nullptr || fault->status.counters().matched() > 0) return text;
  for (const Overlap& overlap : overlaps(experiment)) {
    if (overlap.first != &step && overlap.second != &step) continue;
    const FaultStep& other = overlap.first == &step ? *overlap.second : *overlap.first;
    const FaultOutcome* others = outcome_of(record, other);
    if (others == nullptr || !at_the_same_time(*fault, *others)) continue;
    const std::uint64_t had = others->status.counters().matched();
    const std::string why = why_first(step, *fault, other, *others);
    if (had == 0 || why.empty()) continue;
    text += fmt::format("{}fault {}, which {} the same {}, has them instead: {} (it had {})",
                        text.empty() ? "" : "; ", other.name, overlap.certain ? "matches" : "may match",
                        subject_of(step.spec), why, had);
  }
  return text;
}

}  // namespace faultline
