// Logging set-up for a program's main(): spdlog to stderr, one line an event, "key=value" text with fixed
// keys.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace faultline {

// `level` is one of trace, debug, info, warn, error. Call once, before any thread starts.
void init_logging(std::string_view program, std::string_view level);

}  // namespace faultline
