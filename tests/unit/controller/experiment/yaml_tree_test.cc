#include "controller/experiment/file/yaml_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/experiment/file/text_check.h"

namespace faultline {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(YamlTree, KeepsPlacesQuotesAndOrder) {
  const StatusOr<YamlNode> root = parse_yaml("b: 1\na: [\"2\", x]\nc:\n");
  ASSERT_TRUE(root.ok()) << root.status();
  ASSERT_EQ(root->entries.size(), 3U);
  EXPECT_EQ(root->entries[0].key, "b");
  EXPECT_FALSE(root->entries[0].value.quoted);
  const YamlEntry& a = root->entries[1];
  EXPECT_EQ(a.key_pos.line, 2);
  EXPECT_EQ(a.key_pos.column, 1);
  ASSERT_EQ(a.value.items.size(), 2U);
  EXPECT_TRUE(a.value.items[0].quoted);
  EXPECT_EQ(a.value.items[1].pos.column, 10);
  EXPECT_EQ(root->entries[2].value.kind, YamlNode::Kind::kEmpty);
}

TEST(YamlTree, TakesQuotedTextAndBlocksThatAreClosed) {
  const StatusOr<YamlNode> root = parse_yaml(
      "\xc3\xa9: 'it''s'\n\"q\": \"a \\\" \\\\\"\nm: \"over\n  lines\"\nb: |\n  text \" '\nf: >-\n  one\n  "
      "two\ne: ''\n");
  ASSERT_TRUE(root.ok()) << root.status();
  std::vector<std::string> values;
  for (const YamlEntry& entry : root->entries) values.push_back(entry.value.text);
  EXPECT_THAT(values, ::testing::ElementsAre("it's", "a \" \\", "over lines", "text \" '\n", "one two", ""));
}

TEST(YamlTree, TakesAByteOrderMarkAndWindowsLineEnds) {
  const StatusOr<YamlNode> root = parse_yaml(
      "\xef\xbb\xbf"
      "a: 1\r\nb: 2\r\n");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->entries[0].key, "a");
  EXPECT_EQ(root->entries[0].value.text, "1");
}

struct Refused {
  std::string text;
  const char* error;
};

TEST(YamlTree, RefusesWhatAnExperimentFileNeedsNot) {
  const Refused cases[] = {
      {"a: 1\nb: 2\na: 3\n", "3:1: key 'a' was already given in line 1"},
      {"{x: {k: 1, \"k\": 2}}", "1:12: key 'k' was already given in line 1"},
      {"a: &x 1\nb: *x\n", "1:4: anchors (&name) are not allowed"},
      {"a: *x\n", "1:4: "},
      {"a: &x {b: 1}\n", "1:4: anchors"},
      {"a: !!str 1\n", "1:4: tags (tag:yaml.org,2002:str) are not allowed"},
      {"a: !x [1]\n", "1:4: tags (!x) are not allowed"},
      {"[a]: 1\n", "1:1: "},
      {"? [a]\n: 1\n", "1:3: a key must be plain text"},
      {": 1\n", "1:1: a key is missing before ':'"},
      {"a: 1\n---\nb: 2\n", "2:1: a second document"},
      {"a:\n\tb: 1\n", "2:1: a tab in the indentation"},
      {"a:\n  \tb: 1\n", "2:3: a tab in the indentation"},
      {"", "1:1: the file is empty"},
      {"# nothing\n", "1:1: the file is empty"},
      {"~\n", "1:1: the file is empty"},
      {"a: [1, 2\n", ""},
      {"a: \"x\n", "1:4: the quoted text that begins here is not closed"},
      {"a: \"x", "1:"},
      {"\xc3\xa9: 'it''s\nb: 1\n", "1:5: the quoted text that begins here is not closed"},
      {"\xef\xbb\xbf# x\na: \"x \\\" y\nb: 1\n", "2:4: the quoted text that begins here is not closed"},
      {"\"a\nb: 1\n", ""},
      {"a: ! x\n", "1:4: "},
      {"a: 1\n b: 2\n", ""},
      {"a: }\n", "1:4: "},
      {"%YAML 9.9\n---\na: 1\n", ""},
      {std::string("\x7f"
                   "ELF\x02\x01\x00",
                   7),
       "1:1: control character 0x7f"},
      {std::string("a: \0b", 5), "1:4: control character 0x00"},
      {"a: \x1b[31m", "1:4: control character 0x1b"},
      {"a: caf\xe9\n", "1:7: byte 0xe9 is not UTF-8"},
      {"\xff\xfe"
       "a",
       "1:1: byte 0xff is not UTF-8"},
  };
  for (const Refused& c : cases) {
    const StatusOr<YamlNode> root = parse_yaml(c.text);
    ASSERT_FALSE(root.ok()) << c.text;
    EXPECT_THAT(message_of(root.status()), StartsWith(c.error)) << c.text;
  }
}

TEST(YamlTree, BoundsDepthAndSize) {
  const auto nested = [](int depth) { return std::string(depth, '[') + "1" + std::string(depth, ']'); };
  EXPECT_TRUE(parse_yaml(nested(32)).ok());
  EXPECT_THAT(message_of(parse_yaml(nested(33)).status()), HasSubstr("nested deeper than 32 levels"));
  EXPECT_FALSE(parse_yaml(std::string(200'000, '[')).ok());
  EXPECT_FALSE(parse_yaml(std::string(200'000, '{')).ok());
  std::string deep_block;
  for (int i = 0; i < 600; ++i) deep_block += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(message_of(parse_yaml(deep_block).status()), HasSubstr("nested deeper"));

  std::string many = "[1";
  for (int i = 0; i < 10'000; ++i) many += ",1";
  EXPECT_THAT(message_of(parse_yaml(many + "]").status()), HasSubstr("more than 10000 values"));
}

TEST(TextCheck, KnowsUtf8) {
  for (const char* good :
       {"plain\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\xa5", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(check_text(good).ok()) << good;
  }
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3", "\xc3("}) {
    EXPECT_FALSE(check_text(bad).ok()) << bad;
  }
}

TEST(TextCheck, AllowsTabsOutsideTheIndentation) {
  EXPECT_TRUE(check_text("a:\t1 # x\ty\n").ok());
  EXPECT_FALSE(check_text("a: 1\n \tb: 2\n").ok());
}

}  // namespace
}  // namespace faultline
