// Typed access to the mappings of an experiment file. Opening a mapping checks its keys against a table, so
// that nothing in a file is skipped unread; the accessors check type, unit and range. Every error is
// INVALID_ARGUMENT with "line:column: key: what is wrong and how to write it right".
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "controller/experiment/file/yaml_tree.h"

namespace faultline {

struct Key {
  std::string_view name;
  bool required = false;
};

// The keys that one kind of mapping takes. `schema` is the JSON pointer of the same mapping in
// docs/experiment.schema.json; a test holds the two together.
struct KeyTable {
  std::string_view schema;
  std::span<const Key> keys;
  std::span<const std::string_view> choices = {};  // and exactly one of these, if there are any
  bool may_lack_choice = false;                    // or none of them
  bool may_be_empty = false;
};

struct DurationRange {
  Nanos min;  // inclusive
  Nanos max;  // inclusive
};

// What a node is, for messages: "text", "a list", "nothing".
std::string_view describe(const YamlNode& node);

// One value; `key` names it in messages.
StatusOr<std::string> read_text(const YamlNode& node, std::string_view key);
StatusOr<Nanos> read_duration(const YamlNode& node, std::string_view key, DurationRange range);
StatusOr<double> read_percentage(const YamlNode& node, std::string_view key);
StatusOr<std::uint64_t> read_integer(const YamlNode& node, std::string_view key, std::uint64_t min,
                                     std::uint64_t max);
StatusOr<std::int64_t> read_signed(const YamlNode& node, std::string_view key, std::int64_t min,
                                   std::int64_t max);
// A percentage above 0%.
StatusOr<double> read_chance(const YamlNode& node, std::string_view key);
// Letters, digits, '.', '_' and '-', beginning with a letter or a digit, at most `max_length` of them.
StatusOr<std::string> read_name(const YamlNode& node, std::string_view key, std::size_t max_length);
// One of `words`.
StatusOr<std::string> read_word(const YamlNode& node, std::string_view key,
                                std::span<const std::string_view> words);

// A word of the file and what it stands for.
template <typename T>
struct Word {
  std::string_view word;
  T value;
};

// What one of `words` stands for.
template <typename T, std::size_t kCount>
StatusOr<T> read_meaning(const YamlNode& node, std::string_view key, const Word<T> (&words)[kCount]) {
  std::array<std::string_view, kCount> names;
  for (std::size_t i = 0; i < kCount; ++i) names[i] = words[i].word;
  const StatusOr<std::string> given = read_word(node, key, names);
  if (!given.ok()) return given.status();
  for (const Word<T>& word : words) {
    if (word.word == *given) return word.value;
  }
  return error_at(node.pos, "{}: '{}' is unknown", key, *given);
}

// A mapping whose keys are as its table says. Points into the tree, which must outlive it.
class Fields {
 public:
  // `what` names the mapping in messages: "probe", "delay".
  static StatusOr<Fields> open(const YamlNode& node, std::string_view what, const KeyTable& table);

  SourcePos pos() const { return node_->pos; }
  const YamlNode* find(std::string_view key) const;    // nullptr: not given
  const YamlNode& at(std::string_view key) const;      // a required key
  std::string_view choice() const { return choice_; }  // the one of the table's choices that is given

  // The value, or `fallback` where the key is not given.
  StatusOr<std::string> text(std::string_view key, std::string fallback) const;
  StatusOr<Nanos> duration(std::string_view key, Nanos fallback, DurationRange range) const;
  StatusOr<double> percentage(std::string_view key, double fallback) const;

  // The items of a list, which must not be empty; none where the key is not given.
  StatusOr<std::span<const YamlNode>> list(std::string_view key) const;

 private:
  explicit Fields(const YamlNode& node) : node_(&node) {}

  const YamlNode* node_;
  std::string_view choice_;
};

}  // namespace faultline
