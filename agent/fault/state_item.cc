#include "agent/fault/state_item.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace faultline {
namespace {

using Texts = std::unordered_set<std::string_view>;
using Counts = std::unordered_map<std::string_view, int>;

Texts grounds_of(const std::vector<StateItem>& items) {
  Texts texts;
  for (const StateItem& item : items) {
    if (item.ground) texts.insert(item.text);
  }
  return texts;
}

bool is_foreign(const StateItem& item) {
  return !item.ours && !item.ground;
}

Counts count_foreign(const std::vector<StateItem>& items) {
  Counts counts;
  for (const StateItem& item : items) {
    if (is_foreign(item)) ++counts[item.text];
  }
  return counts;
}

// One of those left, which is then one less.
bool take_one(Counts& counts, const std::string& text) {
  const auto found = counts.find(text);
  return found != counts.end() && found->second-- > 0;
}

bool stands(const StateItem& item, const Texts& grounds) {
  return std::all_of(item.stands_on.begin(), item.stands_on.end(),
                     [&](const std::string& ground) { return grounds.contains(ground); });
}

}  // namespace

std::vector<std::string> residue(const std::vector<StateItem>& before, const std::vector<StateItem>& after,
                                 const std::vector<std::string>& still_owned) {
  const Texts owned(still_owned.begin(), still_owned.end());
  const Texts grounds_before = grounds_of(before), grounds_after = grounds_of(after);
  Counts foreign_before = count_foreign(before), foreign_after = count_foreign(after);
  std::vector<std::string> lines;
  for (const StateItem& item : after) {
    const bool expected =
        item.ground || (item.ours ? owned.contains(item.text)
                                  : take_one(foreign_before, item.text) || !stands(item, grounds_before));
    if (!expected) lines.push_back("left behind: " + item.text);
  }
  for (const StateItem& item : before) {
    const bool gone = is_foreign(item) && !take_one(foreign_after, item.text);
    if (gone && stands(item, grounds_after)) lines.push_back("missing: " + item.text);
  }
  return lines;
}

}  // namespace faultline
