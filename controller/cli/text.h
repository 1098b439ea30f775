// Text for terminals. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace faultline {

// Without control characters (newlines stay): what an agent or a probed server says must not steer the
// terminal.
std::string printable(std::string_view text);

// At most `columns` characters wide, a UTF-8 sequence counted as one; ends in ".." when cut. One line.
std::string fit(std::string_view text, std::size_t columns);

}  // namespace faultline
