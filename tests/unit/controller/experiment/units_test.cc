#include "controller/experiment/units.h"

#include <gtest/gtest.h>

#include <random>

namespace faultline {
namespace {

using namespace std::chrono_literals;

struct Good {
  const char* text;
  Nanos value;
};

TEST(Units, ReadsDurationsExactly) {
  const Good cases[] = {
      {"1ns", 1ns},
      {"500us", 500us},
      {"0.5ms", 500us},
      {"250000ns", 250us},
      {"200ms", 200ms},
      {"2s", 2s},
      {"1m30s", 90s},
      {"1h", 1h},
      {"1h2m3s4ms5us6ns", 1h + 2min + 3s + 4ms + 5us + 6ns},
      {"1.5h", 90min},
      {"0s", 0ns},
      {"0.000000001s", 1ns},
      {"1.50000000000000000000000s", 1500ms},
      {"007s", 7s},
      {"9223372036854775807ns", Nanos::max()},
      {"1.5m30s", 120s},
  };
  for (const Good& c : cases) {
    const StatusOr<Nanos> read = parse_duration(c.text);
    ASSERT_TRUE(read.ok()) << c.text << ": " << read.status();
    EXPECT_EQ(*read, c.value) << c.text;
  }
}

struct Bad {
  const char* text;
  const char* message;
};

TEST(Units, SaysWhatIsWrongWithADuration) {
  const char* shape = "is not a duration; write it like 200ms, 1.5s or 1m30s";
  const Bad cases[] = {
      {"200", "200 has no unit; write 200ms, 200us or 200s"},
      {"0", "0 has no unit"},
      {"1.5", "1.5 has no unit"},
      {"-5s", "-5s is negative"},
      {"-1", "-1 is negative"},
      {"5sec", "unknown unit 'sec'; units are h, m, s, ms, us, ns"},
      {"5S", "unknown unit 'S'"},
      {"5d", "unknown unit 'd'"},
      {"", shape},
      {"s", shape},
      {"ms200", shape},
      {"200 ms", shape},
      {"200ms ", shape},
      {"1.s", shape},
      {".5s", shape},
      {"1,5s", shape},
      {"1e3s", "unknown unit 'e'"},
      {"+5s", shape},
      {"1s5", shape},
      {"5\xc2\xb5s", shape},
      {"1s1m", "units must fall from left to right"},
      {"1s1s", "units must fall from left to right"},
      {"0.5ns", "finer than a nanosecond"},
      {"0.0000000001s", "finer than a nanosecond"},
      {"0.33333333333333333333333333333h", "finer than a nanosecond"},
      {"9223372036854775808ns", "too long for a duration"},
      {"9223372036854775807s", "too long for a duration"},
      {"99999999999999999999999999h", "too long for a duration"},
      {"2562047h48m", "too long for a duration"},
  };
  for (const Bad& c : cases) {
    const StatusOr<Nanos> read = parse_duration(c.text);
    ASSERT_FALSE(read.ok()) << c.text;
    EXPECT_EQ(read.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(message_of(read.status()).find(c.message), std::string::npos) << message_of(read.status());
  }
}

TEST(Units, FormatsWhatItReadsBack) {
  EXPECT_EQ(format_duration(0ns), "0s");
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(1500us), "1ms500us");
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    const Nanos value(static_cast<std::int64_t>(random() >> (1 + random() % 62)));
    const StatusOr<Nanos> read = parse_duration(format_duration(value));
    ASSERT_TRUE(read.ok()) << format_duration(value);
    EXPECT_EQ(*read, value);
  }
}

TEST(Units, ReadsPercentages) {
  const std::pair<const char*, double> cases[] = {{"0%", 0},   {"10%", 0.1},  {"2.5%", 0.025},
                                                  {"100%", 1}, {"100.0%", 1}, {"0.001%", 0.00001}};
  for (const auto& [text, value] : cases) {
    const StatusOr<double> read = parse_percentage(text);
    ASSERT_TRUE(read.ok()) << text << ": " << read.status();
    EXPECT_DOUBLE_EQ(*read, value) << text;
  }
}

TEST(Units, SaysWhatIsWrongWithAPercentage) {
  const Bad cases[] = {
      {"10", "10 has no % sign"},         {"0.1", "0.1 has no % sign"},    {"-1%", "-1% is below 0%"},
      {"100.1%", "100.1% is above 100%"}, {"1000%", "above 100%"},         {"%", "is not a percentage"},
      {"ten%", "is not a percentage"},    {"nan%", "is not a percentage"}, {"inf%", "is not a percentage"},
      {"0x10%", "is not a percentage"},   {"1e1%", "is not a percentage"}, {"10%%", "is not a percentage"},
      {"10 %", "is not a percentage"},    {"", "is not a percentage"},
  };
  for (const Bad& c : cases) {
    const StatusOr<double> read = parse_percentage(c.text);
    ASSERT_FALSE(read.ok()) << c.text;
    EXPECT_NE(message_of(read.status()).find(c.message), std::string::npos) << message_of(read.status());
  }
}

}  // namespace
}  // namespace faultline
