#include "agent/fault/state_item.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace faultline {
namespace {

using Texts = std::unordered_set<std::string_view>;

template <typename Wanted>
Texts texts_of(const std::vector<StateItem>& items, Wanted wanted) {
  Texts texts;
  for (const StateItem& item : items) {
    if (wanted(item)) texts.insert(item.text);
  }
  return texts;
}

bool is_ground(const StateItem& item) {
  return item.ground;
}
bool is_foreign(const StateItem& item) {
  return !item.ours && !item.ground;
}

bool stands(const StateItem& item, const Texts& grounds) {
  return std::all_of(item.stands_on.begin(), item.stands_on.end(),
                     [&](const std::string& ground) { return grounds.contains(ground); });
}

}  // namespace

std::vector<std::string> residue(const std::vector<StateItem>& before, const std::vector<StateItem>& after,
                                 const std::vector<std::string>& still_owned) {
  const Texts owned(still_owned.begin(), still_owned.end());
  const Texts grounds_before = texts_of(before, is_ground), grounds_after = texts_of(after, is_ground);
  const Texts foreign_before = texts_of(before, is_foreign), foreign_after = texts_of(after, is_foreign);
  std::vector<std::string> lines;
  for (const StateItem& item : after) {
    const bool expected =
        item.ground || (item.ours ? owned.contains(item.text)
                                  : foreign_before.contains(item.text) || !stands(item, grounds_before));
    if (!expected) lines.push_back("left behind: " + item.text);
  }
  for (const StateItem& item : before) {
    const bool gone = is_foreign(item) && !foreign_after.contains(item.text);
    if (gone && stands(item, grounds_after)) lines.push_back("missing: " + item.text);
  }
  return lines;
}

}  // namespace faultline
