// Whether bytes are text that may be parsed at all.
#pragma once

#include <string_view>

#include "common/status.h"

namespace faultline {

// UTF-8 without control characters, and no tab in the indentation of a line. INVALID_ARGUMENT with
// "line:column: message", columns counted in bytes. Pure.
Status check_text(std::string_view text);

}  // namespace faultline
