// Text of unknown origin (error messages, answers of probed services) made safe for the formats of the
// reports.
#pragma once

#include <string>
#include <string_view>

namespace faultline {

// For element text and for attribute values alike, as UTF-8. Line breaks and tabs become character
// references, so that attributes keep them; what XML 1.0 cannot hold at all (control characters, bytes that
// are not UTF-8) becomes U+FFFD.
std::string xml_escape(std::string_view text);

// For one line of Markdown or one table cell: no line breaks, no table borders, no HTML, no emphasis or code
// spans.
std::string markdown_escape(std::string_view text);

}  // namespace faultline
