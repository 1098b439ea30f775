#include "controller/report/escape.h"

#include <gtest/gtest.h>

#include "controller/report/format.h"
#include "tests/unit/controller/report/parsed_xml.h"

namespace faultline {
namespace {

const std::string kReplacement = "\xEF\xBF\xBD";

// What a real parser makes of it, as an attribute and as text.
void expect_read_back(const std::string& given, const std::string& expected) {
  const std::string escaped = xml_escape(given);
  const XmlElement root = parsed_xml("<a b=\"" + escaped + "\">" + escaped + "</a>");
  ASSERT_EQ(root.name, "a") << "not well-formed: " << escaped;
  EXPECT_EQ(root.attributes.at("b"), expected);
  EXPECT_EQ(root.text, expected);
}

TEST(XmlEscape, EveryByteMakesWellFormedXml) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool kept = byte == '\t' || byte == '\n' || byte == '\r' || (byte >= 0x20 && byte < 0x80);
    expect_read_back(std::string("x") + c + "y", "x" + (kept ? std::string(1, c) : kReplacement) + "y");
  }
}

TEST(XmlEscape, MarkupIsText) {
  for (const char* text :
       {"a < b && c > \"d\" 'e'", "]]>", "<!-- -->", "<![CDATA[x]]>", "&#0;", "&amp;", " \n\t\r "}) {
    expect_read_back(text, text);
  }
}

TEST(XmlEscape, KeepsWhatXmlCanHoldOfUnicode) {
  for (const char* text :
       {"l\xC3\xA4uft", "\xE2\x82\xAC", "\xF0\x9F\x94\xA5", "\xEF\xBF\xBD", "\xF4\x8F\xBF\xBD"}) {
    expect_read_back(text, text);
  }
}

TEST(XmlEscape, ReplacesByteByByteWhatIsNoUtf8) {
  const auto times = [](int n) {
    std::string out;
    for (int k = 0; k < n; ++k) out += kReplacement;
    return out;
  };
  expect_read_back("\xC0\x80", times(2));          // overlong
  expect_read_back("\xED\xA0\x80", times(3));      // surrogate
  expect_read_back("\xF4\x90\x80\x80", times(4));  // beyond U+10FFFF
  expect_read_back("\xE2\x82", times(2));          // cut off
  expect_read_back("\xE2\x82x", times(2) + "x");   // broken off
  expect_read_back("\xEF\xBF\xBE\xEF\xBF\xBF",
                   times(2));  // U+FFFE and U+FFFF are code points, not XML characters
}

TEST(MarkdownEscape, KeepsATableCellOneCell) {
  EXPECT_EQ(markdown_escape("a | b"), "a \\| b");
  EXPECT_EQ(markdown_escape("a \\| b"), "a \\\\\\| b");
  EXPECT_EQ(markdown_escape("two\nlines\r\n\tand \x01 tab"), "two lines   and   tab");
}

TEST(MarkdownEscape, TakesHtmlLinksAndEmphasisAsText) {
  EXPECT_EQ(markdown_escape("<img src=x> & co"), "&lt;img src=x&gt; &amp; co");
  EXPECT_EQ(markdown_escape("[a](b) `c` *d*"), "\\[a\\](b) \\`c\\` \\*d\\*");
  EXPECT_EQ(markdown_escape("slow_metrics l\xC3\xA4uft \xFF"), "slow_metrics l\xC3\xA4uft " + kReplacement);
}

TEST(Format, WallTimesAreUtcWithNanoseconds) {
  EXPECT_EQ(iso8601(WallTime{}), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(iso8601(WallTime(Nanos(1769854502'000'000'007))), "2026-01-31T10:15:02.000000007Z");
  EXPECT_EQ(iso8601(WallTime(Nanos(-1))), "1969-12-31T23:59:59.999999999Z");
}

TEST(Format, DurationsHaveTheUnitThatSuits) {
  EXPECT_EQ(duration_text(Nanos(0)), "0 ns");
  EXPECT_EQ(duration_text(Nanos(999)), "999 ns");
  EXPECT_EQ(duration_text(Nanos(12'500)), "12.5 us");
  EXPECT_EQ(duration_text(Nanos(200'700'000)), "200.7 ms");
  EXPECT_EQ(duration_text(Nanos(12'500'000'000)), "12.50 s");
  EXPECT_EQ(duration_text(Nanos(-1'500'000)), "-1.5 ms");
  EXPECT_EQ(seconds_text(Nanos(12'500'400'000)), "12.500");
}

}  // namespace
}  // namespace faultline
