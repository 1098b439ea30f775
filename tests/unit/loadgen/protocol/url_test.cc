#include "loadgen/protocol/url.h"

#include <gtest/gtest.h>

namespace faultline {
namespace {

TEST(LoadUrl, IsTakenApart) {
  const auto url = parse_url("http://example.org:8080/a/b?c=d#e");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->port, "8080");
  EXPECT_EQ(url->path, "/a/b?c=d");
  EXPECT_EQ(url->authority, "example.org:8080");
  EXPECT_EQ(parse_url("http://h")->path, "/");
  EXPECT_EQ(parse_url("http://h?x")->path, "/?x");
  EXPECT_EQ(parse_url("http://h")->port, "80");
  EXPECT_EQ(parse_url("http://[::1]:81/")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]/")->port, "80");
}

TEST(LoadUrl, WhatIsWrongWithItIsSaid) {
  const struct {
    const char* text;
    const char* why;
  } kBad[] = {{"example.org", "must begin with http://"},
              {"https://h/", "must begin with http://"},
              {"http://", "no host"},
              {"http://:80/", "no host"},
              {"http://h:0/", "port"},
              {"http://h:65536/", "port"},
              {"http://h:x/", "port"},
              {"http://h:/", "port"},
              {"http://[::1/", "bracket"},
              {"http://[::1]x/", "port is not clear"},
              {"http://u:p@h/", "user"},
              {"http://h/a b", "blank"}};
  for (const auto& [text, why] : kBad) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_NE(message_of(url.status()).find(why), std::string::npos) << url.status();
  }
}

}  // namespace
}  // namespace faultline
