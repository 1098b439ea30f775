#include "agent/dns/name_pattern.h"

#include <gtest/gtest.h>

namespace faultline {
namespace {

bool matches(std::string_view pattern, std::string_view name) {
  return NamePattern::parse(pattern).value().matches(name);
}

TEST(NamePattern, APlainNameMatchesItselfWithoutRegardToCaseAndTrailingDot) {
  EXPECT_TRUE(matches("db.example.com", "DB.Example.COM"));
  EXPECT_TRUE(matches("DB.example.com.", "db.example.com"));
  EXPECT_TRUE(matches("db.example.com", "db.example.com."));
  EXPECT_FALSE(matches("db.example.com", "xdb.example.com"));
  EXPECT_FALSE(matches("db.example.com", "db.example.co"));
  EXPECT_FALSE(matches("db.example.com", "db.example.comm"));
}

TEST(NamePattern, AStarStandsForAnyNumberOfCharacters) {
  EXPECT_TRUE(matches("*.example.com", "a.b.example.com"));
  EXPECT_FALSE(matches("*.example.com", "example.com"));
  EXPECT_TRUE(matches("db*", "db"));
  EXPECT_TRUE(matches("db*", "db-7.internal"));
  EXPECT_TRUE(matches("*", "anything.at.all"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*b*c", "a.b.b.c"));
  EXPECT_FALSE(matches("a*b*c", "a.c.b"));
  EXPECT_TRUE(matches("**.com", "x.com"));
}

TEST(NamePattern, AQuestionMarkStandsForOne) {
  EXPECT_TRUE(matches("db-?", "db-7"));
  EXPECT_FALSE(matches("db-?", "db-"));
  EXPECT_FALSE(matches("db-?", "db-77"));
}

TEST(NamePattern, ManyStarsTakeNoExponentialTime) {
  std::string pattern, name;
  for (int i = 0; i < 80; ++i) pattern += "*a";
  for (int i = 0; i < 60; ++i) name += "aaa.";
  EXPECT_FALSE(matches(pattern + "b", name));
}

TEST(NamePattern, RefusesWhatNoNameCanBe) {
  for (const std::string& text :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"), std::string("a b"),
        std::string("b\xc3\xbc"
                    "cher.de"),
        std::string("a\n"), std::string(254, 'a')}) {
    EXPECT_EQ(NamePattern::parse(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_TRUE(NamePattern::parse("_sip._tcp.xn--bcher-kva.de").ok());
}

}  // namespace
}  // namespace faultline
