#include "agent/engine/entry.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <iterator>

#include "common/log.h"

namespace faultline {

using google::protobuf::util::TimeUtil;

google::protobuf::Timestamp to_timestamp(WallTime t) {
  return TimeUtil::NanosecondsToTimestamp(std::chrono::duration_cast<Nanos>(t.time_since_epoch()).count());
}

v1::FaultStatus Engine::Entry::now() const {
  v1::FaultStatus copy = status;
  if (claimed) return copy;
  copy.set_state(mono_now() < start ? v1::FAULT_STATE_ARMED : v1::FAULT_STATE_ACTIVE);
  copy.mutable_counters()->CopyFrom(fault->counters());
  for (auto& measure : fault->achieved()) *copy.add_achieved() = std::move(measure);
  const Nanos left = std::max(Nanos::zero(), std::chrono::duration_cast<Nanos>(deadline - mono_now()));
  *copy.mutable_remaining() = TimeUtil::NanosecondsToDuration(left.count());
  *copy.mutable_deadline() =
      to_timestamp(wall_now() + std::chrono::duration_cast<WallTime::duration>(deadline - mono_now()));
  return copy;
}

void Engine::Entry::stop() {
  fault->stop();
  // The kernel did not wait for us: past the deadline it had ended the effect by itself.
  const Nanos late = std::max(Nanos::zero(), std::chrono::duration_cast<Nanos>(mono_now() - deadline));
  ended_at = wall_now() - std::chrono::duration_cast<WallTime::duration>(late);
  never_was = mono_now() < start;
}

Proof Engine::Entry::take_away() {
  Proof proof;
  if (fault) {
    if (const Status reverted = fault->revert(); reverted.ok()) {
      fault.reset();
    } else {
      proof.residue.push_back("could not be removed: " + message_of(reverted));
    }
  }
  auto lines = differences();
  proof.checked = lines.ok();
  if (!lines.ok()) return proof;
  // A long list, which the kernel tells in parts, may lack something when others change meanwhile.
  if (std::any_of(lines->begin(), lines->end(),
                  [](const auto& line) { return line.starts_with("missing: "); })) {
    if (const auto again = differences(); again.ok()) {
      std::erase_if(*lines, [&](const std::string& line) {
        return std::find(again->begin(), again->end(), line) == again->end();
      });
    }
  }
  std::move(lines->begin(), lines->end(), std::back_inserter(proof.residue));
  return proof;
}

StatusOr<std::vector<std::string>> Engine::Entry::differences() const {
  // Asked before and after, so that a neighbour's fault that comes or goes meanwhile is not taken for
  // residue.
  std::vector<std::string> owned = kind->owned(target);
  FL_ASSIGN_OR_RETURN(const auto after, kind->snapshot(target));
  for (auto& text : kind->owned(target)) owned.push_back(std::move(text));
  return residue(before, after, owned);
}

void Engine::Entry::note(const Proof& proof, const EngineOptions& options) {
  status.set_residue_checked(proof.checked);
  status.clear_residue();
  for (const std::string& line : proof.residue) status.add_residue(line);
  if ((!proof.checked || !proof.residue.empty()) && tries < options.retries) {
    next_try = mono_now() + options.retry_after * (1 << std::min(tries++, 6));
    return;
  }
  fault.reset();
  target = {};
}

}  // namespace faultline
