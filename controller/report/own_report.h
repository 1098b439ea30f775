// Tells a report of an earlier run from a file of somebody else's that has the same name.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace faultline {

// Whether a file of this name ("journal.json", "junit.xml", "summary.md") that begins with `text` is a
// report; an empty one counts as one, there is nothing to lose. Pure.
bool is_own_report(std::string_view name, std::string_view text);

// OK: there is no DIR/NAME, or it is a report. ALREADY_EXISTS: it is something else, as a folder or a link
// is.
Status check_replaceable(const std::string& dir, std::string_view name);

}  // namespace faultline
