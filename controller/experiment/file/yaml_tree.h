// YAML text as a tree of values with their places. Stricter than YAML: one document, UTF-8 text, no tabs in
// the indentation, no anchors, aliases or tags, text keys, no key twice, bounded depth and size. So a tree is
// cheap to walk whatever was in the file.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "controller/experiment/model.h"

namespace faultline {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kEmpty, kText, kList, kMapping };
  Kind kind = Kind::kEmpty;
  SourcePos pos;
  bool quoted = false;  // kText: in quotes or a block, so never a number
  std::string text;
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // in file order
};

struct YamlEntry {
  std::string key;
  SourcePos key_pos;
  YamlNode value;
};

// INVALID_ARGUMENT with "line:column: message".
StatusOr<YamlNode> parse_yaml(std::string_view text);

// "line:column: message": the one form of every error of the experiment file's readers.
template <typename... Args>
Status error_at(SourcePos pos, fmt::format_string<Args...> format, Args&&... args) {
  return invalid_argument("{}:{}: {}", pos.line, pos.column,
                          fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace faultline
