#include "agent/fault/state_item.h"

#include <algorithm>

namespace faultline {

std::vector<std::string> residue(const std::vector<StateItem>& before, const std::vector<StateItem>& after,
                                 const std::vector<std::string>& still_owned) {
  const auto has = [](const auto& items, const auto& item) {
    return std::find(items.begin(), items.end(), item) != items.end();
  };
  std::vector<std::string> lines;
  for (const StateItem& item : after) {
    const bool owned = item.ours && has(still_owned, item.text);
    const bool was_there = !item.ours && has(before, item);
    if (!owned && !was_there) lines.push_back("left behind: " + item.text);
  }
  for (const StateItem& item : before) {
    if (!item.ours && !has(after, item)) lines.push_back("missing: " + item.text);
  }
  return lines;
}

}  // namespace faultline
