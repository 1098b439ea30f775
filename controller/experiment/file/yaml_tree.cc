#include "controller/experiment/file/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "controller/experiment/file/text_check.h"

namespace faultline {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxNodes = 10'000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

SourcePos pos_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

// yaml-cpp 0.7 takes a quote that is never closed for closed at the end of the file when a line break comes
// before that, and so swallows every key in between. `at` is the offset of a scalar that is not plain.
bool is_closed(std::string_view text, std::size_t at) {
  const char quote = at < text.size() ? text[at] : '\0';
  if (quote == '|' || quote == '>') return true;  // a block, closed by its indentation
  if (quote != '"' && quote != '\'') return false;
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    const bool escaped = quote == '"' ? text[i] == '\\' : text.substr(i).starts_with("''");
    if (escaped) {
      ++i;
    } else if (text[i] == quote) {
      return true;
    }
  }
  return false;
}

// Builds the tree from the parser's events. Refuses by throwing the parser's own exception, which
// parse_yaml() turns into a Status; it is the only way to end a parse early.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    if (expects_key()) refuse(mark, "a key is missing before ':'");
    add(node_at(mark, YamlNode::Kind::kEmpty), mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse(mark, "aliases (*name) are not allowed in an experiment file");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    const bool quoted = tag == "!";
    if (quoted && !is_closed(text_, static_cast<std::size_t>(mark.pos))) {
      refuse(mark, "the quoted text that begins here is not closed");
    }
    if (expects_key()) {
      Frame& top = stack_.back();
      const auto same = std::find_if(top.node.entries.begin(), top.node.entries.end(),
                                     [&](const YamlEntry& entry) { return entry.key == value; });
      if (same != top.node.entries.end()) {
        refuse(mark, fmt::format("key '{}' was already given in line {}", value, same->key_pos.line));
      }
      top.key = YamlEntry{value, pos_of(mark), {}};
      return;
    }
    YamlNode node = node_at(mark, YamlNode::Kind::kText);
    node.text = value;
    node.quoted = quoted;
    add(std::move(node), mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { close(); }

  std::optional<YamlNode> take_root() { return std::move(root_); }

 private:
  struct Frame {
    YamlNode node;
    std::optional<YamlEntry> key;  // read, its value not yet
    YAML::Mark mark;
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, const std::string& message) {
    throw YAML::ParserException(mark, message);
  }
  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) refuse(mark, "anchors (&name) are not allowed in an experiment file");
  }
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse(mark, fmt::format("tags ({}) are not allowed in an experiment file", tag));
    }
  }
  static YamlNode node_at(const YAML::Mark& mark, YamlNode::Kind kind) {
    YamlNode node;
    node.kind = kind;
    node.pos = pos_of(mark);
    return node;
  }

  bool expects_key() const {
    return !stack_.empty() && stack_.back().node.kind == YamlNode::Kind::kMapping && !stack_.back().key;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (expects_key()) refuse(mark, "a key must be plain text");
    if (stack_.size() >= kMaxDepth) refuse(mark, fmt::format("nested deeper than {} levels", kMaxDepth));
    stack_.push_back({node_at(mark, kind), std::nullopt, mark});
  }

  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    add(std::move(frame.node), frame.mark);
  }

  void add(YamlNode node, const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) refuse(mark, fmt::format("more than {} values", kMaxNodes));
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& top = stack_.back();
    if (top.node.kind == YamlNode::Kind::kMapping) {
      // The parser finds out that a value is missing only at what comes after it.
      if (node.kind == YamlNode::Kind::kEmpty) node.pos = top.key->key_pos;
      top.key->value = std::move(node);
      top.node.entries.push_back(std::move(*top.key));
      top.key.reset();
    } else {
      top.node.items.push_back(std::move(node));
    }
  }

  std::string_view text_;
  std::vector<Frame> stack_;
  std::optional<YamlNode> root_;
  std::size_t nodes_ = 0;
};

// Remembers only that a further document begins.
class SecondDocument : public TreeBuilder {
 public:
  using TreeBuilder::TreeBuilder;
  void OnDocumentStart(const YAML::Mark& mark) override {
    throw YAML::ParserException(mark, "a second document; an experiment file holds one experiment");
  }
};

}  // namespace

StatusOr<YamlNode> parse_yaml(std::string_view text) {
  FL_RETURN_IF_ERROR(check_text(text));
  if (text.starts_with(kByteOrderMark))
    text.remove_prefix(kByteOrderMark.size());  // the parser does not count it
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(text);
    if (!parser.HandleNextDocument(builder)) return error_at({1, 1}, "the file is empty");
    SecondDocument second(text);
    parser.HandleNextDocument(second);
    std::optional<YamlNode> root = builder.take_root();
    if (!root || root->kind == YamlNode::Kind::kEmpty) return error_at({1, 1}, "the file is empty");
    return *std::move(root);
  } catch (const YAML::Exception& error) {
    return error_at(error.mark.is_null() ? SourcePos{1, 1} : pos_of(error.mark), "{}", error.msg);
  } catch (const std::exception& error) {
    return error_at({1, 1}, "not readable as YAML: {}", error.what());
  }
}

}  // namespace faultline
