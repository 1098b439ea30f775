#include "controller/experiment/sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace faultline {
namespace {

using ::testing::HasSubstr;

TEST(Sizes, ReadsBandwidths) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"8000bit", 8'000},       {"1kbit", 1'000},       {"10mbit", 10'000'000},
      {"1gbit", 1'000'000'000}, {"1.5mbit", 1'500'000}, {"0.008mbit", 8'000},
      {"2.50kbit", 2'500},      {"007kbit", 7'000},     {"18446744073709551615bit", UINT64_MAX}};
  for (const auto& [text, bits] : cases) {
    const StatusOr<std::uint64_t> read = parse_bandwidth(text);
    ASSERT_TRUE(read.ok()) << text << ": " << read.status();
    EXPECT_EQ(*read, bits) << text;
  }
}

TEST(Sizes, ReadsSizes) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"1500B", 1'500}, {"32KiB", 32'768}, {"1MiB", 1'048'576}, {"0.5KiB", 512}, {"2GiB", 2'147'483'648}};
  for (const auto& [text, bytes] : cases) {
    const StatusOr<std::uint64_t> read = parse_size(text);
    ASSERT_TRUE(read.ok()) << text << ": " << read.status();
    EXPECT_EQ(*read, bytes) << text;
  }
}

TEST(Sizes, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"10", "10 has no unit; write it like 10mbit"},
      {"10Mbit", "10Mbit has the unknown unit 'Mbit'; units are bit, kbit, mbit, gbit"},
      {"10mbps", "unknown unit 'mbps'"},
      {"10 mbit", "unknown unit ' mbit'"},
      {"", "'' is not a bandwidth"},
      {"mbit", "'mbit' is not a bandwidth"},
      {"-1mbit", "'-1mbit' is not a bandwidth"},
      {"1.mbit", "'1.mbit' is not a bandwidth"},
      {".5mbit", "'.5mbit' is not a bandwidth"},
      {"1.2.3mbit", "'1.2.3mbit' is not a bandwidth"},
      {"0.5bit", "0.5bit is finer than one bit"},
      {"0.00000000000000000001gbit", "is finer than one bit"},
      {"18446744073709551616bit", "is too large"},
      {"18446744073709551615kbit", "is too large"},
  };
  for (const auto& [text, message] : cases) {
    const StatusOr<std::uint64_t> read = parse_bandwidth(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(message_of(read.status()), HasSubstr(message)) << text;
  }
  EXPECT_THAT(message_of(parse_size("32KB").status()), HasSubstr("units are B, KiB, MiB, GiB"));
}

}  // namespace
}  // namespace faultline
