#include "controller/experiment/file/fields.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "controller/experiment/file/did_you_mean.h"
#include "controller/experiment/units.h"

namespace faultline {
namespace {

constexpr std::size_t kMaxTextLength = 4096;

// The same error, with its place and key in front.
Status at_key(const YamlNode& node, std::string_view key, const Status& error) {
  return error_at(node.pos, "{}: {}", key, message_of(error));
}

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <typename Integer>
StatusOr<Integer> read_whole(const YamlNode& node, std::string_view key, Integer min, Integer max) {
  FL_ASSIGN_OR_RETURN(const std::string text, read_text(node, key));
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number =
      !node.quoted && end == text.data() + text.size() && error != std::errc::invalid_argument;
  if (!is_number || error == std::errc::result_out_of_range || value < min || value > max) {
    return error_at(node.pos, "{}: '{}' is not a whole number from {} to {}", key, text, min, max);
  }
  return value;
}

}  // namespace

std::string_view describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kEmpty:
      return "nothing";
    case YamlNode::Kind::kText:
      return "text";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMapping:
      return "a mapping";
  }
  return "nothing";
}

StatusOr<std::string> read_text(const YamlNode& node, std::string_view key) {
  if (node.kind == YamlNode::Kind::kEmpty) return error_at(node.pos, "{}: the value is missing", key);
  if (node.kind != YamlNode::Kind::kText) {
    return error_at(node.pos, "{}: must be a single value, not {}", key, describe(node));
  }
  if (node.text.empty()) return error_at(node.pos, "{}: must not be empty", key);
  if (node.text.size() > kMaxTextLength) {
    return error_at(node.pos, "{}: longer than {} bytes", key, kMaxTextLength);
  }
  return node.text;
}

StatusOr<Nanos> read_duration(const YamlNode& node, std::string_view key, DurationRange range) {
  FL_ASSIGN_OR_RETURN(const std::string text, read_text(node, key));
  const StatusOr<Nanos> duration = parse_duration(text);
  if (!duration.ok()) return at_key(node, key, duration.status());
  if (*duration < range.min) {
    if (*duration == Nanos::zero()) return error_at(node.pos, "{}: must be longer than zero", key);
    return error_at(node.pos, "{}: {} is too short; the minimum is {}", key, text,
                    format_duration(range.min));
  }
  if (*duration > range.max) {
    return error_at(node.pos, "{}: {} is too long; the maximum is {}", key, text, format_duration(range.max));
  }
  return *duration;
}

StatusOr<double> read_percentage(const YamlNode& node, std::string_view key) {
  FL_ASSIGN_OR_RETURN(const std::string text, read_text(node, key));
  const StatusOr<double> share = parse_percentage(text);
  if (!share.ok()) return at_key(node, key, share.status());
  return *share;
}

StatusOr<double> read_chance(const YamlNode& node, std::string_view key) {
  FL_ASSIGN_OR_RETURN(const double share, read_percentage(node, key));
  if (share <= 0) return error_at(node.pos, "{}: must be above 0%", key);
  return share;
}

StatusOr<std::uint64_t> read_integer(const YamlNode& node, std::string_view key, std::uint64_t min,
                                     std::uint64_t max) {
  return read_whole(node, key, min, max);
}

StatusOr<std::int64_t> read_signed(const YamlNode& node, std::string_view key, std::int64_t min,
                                   std::int64_t max) {
  return read_whole(node, key, min, max);
}

StatusOr<std::string> read_name(const YamlNode& node, std::string_view key, std::size_t max_length) {
  FL_ASSIGN_OR_RETURN(std::string text, read_text(node, key));
  const bool shape = is_alnum(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
                       return is_alnum(c) || c == '.' || c == '_' || c == '-';
                     });
  if (!shape) {
    return error_at(node.pos, "{}: '{}' is not a name; use letters, digits, '.', '_' and '-'", key, text);
  }
  if (text.size() > max_length) {
    return error_at(node.pos, "{}: '{}' is longer than {} characters", key, text, max_length);
  }
  return text;
}

StatusOr<std::string> read_word(const YamlNode& node, std::string_view key,
                                std::span<const std::string_view> words) {
  FL_ASSIGN_OR_RETURN(std::string text, read_text(node, key));
  if (std::find(words.begin(), words.end(), text) == words.end()) {
    return error_at(node.pos, "{}: '{}' is unknown{}", key, text, suggestion(text, words));
  }
  return text;
}

StatusOr<Fields> Fields::open(const YamlNode& node, std::string_view what, const KeyTable& table) {
  std::vector<std::string_view> known;
  for (const Key& key : table.keys) known.push_back(key.name);
  known.insert(known.end(), table.choices.begin(), table.choices.end());

  if (node.kind != YamlNode::Kind::kMapping) {
    return error_at(node.pos, "{}: must be a mapping with the keys {}, not {}", what, fmt::join(known, ", "),
                    describe(node));
  }
  if (node.entries.empty() && !table.may_be_empty) {
    return error_at(node.pos, "{}: is empty; it takes {}", what, fmt::join(known, ", "));
  }

  Fields fields(node);
  for (const YamlEntry& entry : node.entries) {
    if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
      return error_at(entry.key_pos, "unknown key '{}' in {}{}", entry.key, what,
                      suggestion(entry.key, known));
    }
    if (std::find(table.choices.begin(), table.choices.end(), entry.key) == table.choices.end()) continue;
    if (!fields.choice_.empty()) {
      return error_at(entry.key_pos, "{} has both '{}' and '{}'; give {} one of {}", what, fields.choice_,
                      entry.key, table.may_lack_choice ? "at most" : "exactly",
                      fmt::join(table.choices, ", "));
    }
    fields.choice_ = entry.key;
  }
  for (const Key& key : table.keys) {
    if (key.required && fields.find(key.name) == nullptr) {
      return error_at(node.pos, "{}: key '{}' is missing", what, key.name);
    }
  }
  if (!table.choices.empty() && fields.choice_.empty() && !table.may_lack_choice) {
    return error_at(node.pos, "{}: one of {} is missing", what, fmt::join(table.choices, ", "));
  }
  return fields;
}

const YamlNode* Fields::find(std::string_view key) const {
  for (const YamlEntry& entry : node_->entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

const YamlNode& Fields::at(std::string_view key) const {
  static const YamlNode kNothing;  // reads as "the value is missing", should a table not say `required`
  const YamlNode* node = find(key);
  return node != nullptr ? *node : kNothing;
}

StatusOr<std::string> Fields::text(std::string_view key, std::string fallback) const {
  const YamlNode* node = find(key);
  if (node == nullptr) return fallback;
  return read_text(*node, key);
}

StatusOr<Nanos> Fields::duration(std::string_view key, Nanos fallback, DurationRange range) const {
  const YamlNode* node = find(key);
  if (node == nullptr) return fallback;
  return read_duration(*node, key, range);
}

StatusOr<double> Fields::percentage(std::string_view key, double fallback) const {
  const YamlNode* node = find(key);
  if (node == nullptr) return fallback;
  return read_percentage(*node, key);
}

StatusOr<std::span<const YamlNode>> Fields::list(std::string_view key) const {
  const YamlNode* node = find(key);
  if (node == nullptr) return std::span<const YamlNode>();
  if (node->kind != YamlNode::Kind::kList) {
    return error_at(node->pos, "{}: must be a list, not {}", key, describe(*node));
  }
  if (node->items.empty()) return error_at(node->pos, "{}: the list is empty", key);
  return std::span<const YamlNode>(node->items);
}

}  // namespace faultline
