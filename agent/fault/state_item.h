// One piece of a target's kernel state, as text, for telling what a fault left behind.
#pragma once

#include <compare>
#include <string>
#include <vector>

namespace faultline {

struct StateItem {
  std::string text = {};  // "eth0: root qdisc fq_codel 0:"
  bool ours = false;      // carries our mark: the reserved qdisc handle, a device of ours, our program's id
  bool ground = false;    // no state of interest itself: what other items may stand on
  std::vector<std::string> stands_on = {};  // texts of the grounds whose change by others takes it along
  friend auto operator<=>(const StateItem&, const StateItem&) = default;
};

// What differs between the state before a fault and after its end, a line each: "left behind: ...", "missing:
// ...". Our own items in `before` belonged to other faults and may have gone since; our own items in `after`
// are left out when `still_owned` names them. Others' items of one text are counted. Of them, those are left
// out that have come on a ground that was not there before, or gone with one that is no more there. Pure;
// cost: linear.
std::vector<std::string> residue(const std::vector<StateItem>& before, const std::vector<StateItem>& after,
                                 const std::vector<std::string>& still_owned);

}  // namespace faultline
