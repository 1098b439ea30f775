#include "controller/cli/text.h"

#include <gtest/gtest.h>

namespace faultline {
namespace {

TEST(Text, NothingSteersTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\rc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");
  EXPECT_EQ(printable("two\nlines, \xc3\xbc and \xe2\x82\xac"), "two\nlines, \xc3\xbc and \xe2\x82\xac");
}

TEST(Text, FitsTheColumns) {
  EXPECT_EQ(fit("short", 10), "short");
  EXPECT_EQ(fit("exactly ten", 11), "exactly ten");
  EXPECT_EQ(fit("exactly ten", 10), "exactly ..");
  EXPECT_EQ(fit("\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", 3), "\xc3\xbc..");
  EXPECT_EQ(fit("\xc3\xbc\xc3\xbc\xc3\xbc", 3), "\xc3\xbc\xc3\xbc\xc3\xbc");
  EXPECT_EQ(fit("two\nlines", 20), "two lines");
  EXPECT_EQ(fit("abc", 0), "");
  EXPECT_EQ(fit("abc", 2), "..");
}

}  // namespace
}  // namespace faultline
