#include "controller/experiment/overlap.h"

#include <fmt/format.h>

#include <algorithm>

#include "controller/experiment/traffic_match.h"

namespace faultline {
namespace {

// A fault step, when it begins if nothing ends early (counted from the begin of the method), and the way to
// it.
struct Placed {
  const FaultStep* step = nullptr;
  Nanos begin{};
  std::vector<std::pair<const Block*, std::size_t>> way;  // blocks, and the child that it is in
};

class Placement {
 public:
  // Places the faults of `block`, which begins at `begin`; returns when it ends.
  Nanos place(const Block& block, Nanos begin) {
    Nanos end = begin;
    for (std::size_t child = 0; child < block.steps.size(); ++child) {
      way_.emplace_back(&block, child);
      const Nanos ended = place(block.steps[child], block.parallel ? begin : end);
      end = block.parallel ? std::max(end, ended) : ended;
      way_.pop_back();
    }
    return end;
  }

  std::vector<Placed> faults;  // in file order

 private:
  Nanos place(const Step& step, Nanos begin) {
    if (const auto* wait = std::get_if<WaitStep>(&step.what)) return begin + wait->duration;
    if (const auto* block = std::get_if<Block>(&step.what)) return place(*block, begin);
    const auto& fault = std::get<FaultStep>(step.what);
    faults.push_back({&fault, begin, way_});
    return begin + fault.duration;
  }

  std::vector<std::pair<const Block*, std::size_t>> way_;
};

// They are in different branches of a block whose steps go on side by side.
bool side_by_side(const Placed& a, const Placed& b) {
  for (std::size_t depth = 0; depth < std::min(a.way.size(), b.way.size()); ++depth) {
    if (a.way[depth].second != b.way[depth].second) return a.way[depth].first->parallel;
  }
  return false;
}

std::string who_has_them(const Overlap& overlap, const Placed& a, const Placed& b) {
  const std::int32_t priority = a.step->spec.priority();
  const std::int32_t other = b.step->spec.priority();
  if (overlap.winner == nullptr) {
    return "the one applied first has them, and which that is is open; a priority would decide";
  }
  if (priority == other) return fmt::format("{} has them: it is applied first", overlap.winner->name);
  return fmt::format("{} has them: its priority is {}, the other's {}", overlap.winner->name,
                     std::max(priority, other), std::min(priority, other));
}

const FaultStep* winner_of(const Placed& a, const Placed& b) {
  if (a.step->spec.priority() != b.step->spec.priority()) {
    return a.step->spec.priority() > b.step->spec.priority() ? a.step : b.step;
  }
  if (a.begin == b.begin) return nullptr;
  return a.begin < b.begin ? a.step : b.step;
}

}  // namespace

std::vector<Overlap> overlaps(const Experiment& experiment) {
  Placement placement;
  placement.place(experiment.method, Nanos::zero());
  std::vector<Overlap> found;
  const std::vector<Placed>& faults = placement.faults;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    for (std::size_t k = i + 1; k < faults.size(); ++k) {
      const Placed& a = faults[i];
      const Placed& b = faults[k];
      if (!side_by_side(a, b)) continue;
      const Meet target = same_target(a.step->target, b.step->target);
      const Meet meet = both(target, same_packets(a.step->spec, b.step->spec));
      if (meet == Meet::kNo) continue;
      Overlap overlap{a.step, b.step, meet == Meet::kYes, winner_of(a, b), ""};
      overlap.text = fmt::format("{} and {} {} the same {}{}; {}{}", a.step->name, b.step->name,
                                 overlap.certain ? "match" : "may match", subject_of(a.step->spec),
                                 target == Meet::kMay ? ", should their targets be the same" : "",
                                 overlap.certain ? "" : "where they do, ", who_has_them(overlap, a, b));
      found.push_back(std::move(overlap));
    }
  }
  return found;
}

}  // namespace faultline
