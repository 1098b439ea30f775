#include "loadgen/cli/options.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace faultline {
namespace {

using namespace std::chrono_literals;

// The error's text; empty: none.
std::string parsed(const std::string& line, Options& options) {
  CLI::App app;
  declare_options(app, options);
  try {
    app.parse(line);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return message_of(check_options(options));
}

TEST(LoadOptions, AreThoseThatUsersOfOtherToolsExpect) {
  Options options;
  EXPECT_EQ(
      parsed(
          "http://h:81/x?y -c 64 -t 2 -d 1m30s -r 5000 -H 'X-Scope-OrgID: a b' -H Host:other -X POST -b body",
          options),
      "");
  EXPECT_EQ(options.connections, 64u);
  EXPECT_EQ(options.workers, 2u);
  EXPECT_EQ(options.length, 90s);
  EXPECT_EQ(options.rate, 5000);
  EXPECT_EQ(to_http1(options.request),
            "POST /x?y HTTP/1.1\r\nUser-Agent: faultline-load/" FAULTLINE_VERSION
            "\r\nContent-Length: 4\r\nX-Scope-OrgID: a b\r\nHost: other\r\n\r\nbody");
}

TEST(LoadOptions, LengthsOfTimeHaveUnits) {
  EXPECT_EQ(*parse_length("10s"), 10s);
  EXPECT_EQ(*parse_length("1.5h"), 90min);
  EXPECT_EQ(*parse_length("250ms"), 250ms);
  EXPECT_EQ(*parse_length("1m30s"), 90s);
  EXPECT_EQ(*parse_length("7us3ns"), 7003ns);
  EXPECT_EQ(*parse_length("3"), 3s);
  for (const char* bad : {"", "s", "1x", "-1s", "1s2", "1e400s", "99999999h", "1 s"})
    EXPECT_FALSE(parse_length(bad).ok()) << bad;
}

TEST(LoadOptions, WhatIsWrongIsSaid) {
  const struct {
    const char* line;
    const char* why;
  } kBad[] = {{"", "URL"},
              {"https://h/", "http://"},
              {"http://h/ -d 0s", "--duration must be above zero"},
              {"http://h/ -d ten", "--duration"},
              {"http://h/ --timeout 0ms", "--timeout must be above zero"},
              {"http://h/ -c 0", "connections"},
              {"http://h/ -r -1", "rate"},
              {"http://h/ --poisson 1", "needs a --rate"},
              {"http://h/ -H nocolon", "Name: value"},
              {"http://h/ -X 'GET /'", "no method"},
              {"http://h/ --nosuch", "nosuch"}};
  for (const auto& [line, why] : kBad) {
    Options options;
    const std::string error = parsed(line, options);
    EXPECT_NE(error.find(why), std::string::npos) << line << ": " << error;
  }
}

}  // namespace
}  // namespace faultline
