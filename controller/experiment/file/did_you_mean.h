// Finds what a person most likely meant to write.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace faultline {

// "; did you mean 'latency'?" when a candidate is close to `word` (a typing error or two, other case, other
// separators), else "; it must be one of a, b, c". Pure.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace faultline
