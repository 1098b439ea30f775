#include "agent/dns/name_pattern.h"

#include <algorithm>

namespace faultline {

std::string plain_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string plain(name);
  // Not tolower: its answer depends on the locale.
  for (char& c : plain) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return plain;
}

StatusOr<NamePattern> NamePattern::parse(std::string_view text) {
  std::string plain = plain_name(text);
  if (plain.empty()) return invalid_argument("an empty name");
  if (plain.size() > 253) return invalid_argument("\"{}\" is longer than the 253 characters of a name", text);
  if (plain.starts_with('.') || plain.ends_with('.') || plain.find("..") != std::string::npos) {
    return invalid_argument("\"{}\" has an empty label", text);
  }
  if (!std::all_of(plain.begin(), plain.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return invalid_argument(
        "\"{}\" is not made of printable ASCII characters; international names go in their xn-- form", text);
  }
  return NamePattern(std::move(plain));
}

bool NamePattern::matches(std::string_view asked) const {
  const std::string name = plain_name(asked);
  // After a mismatch only the last star need give way: at most text x name steps.
  std::size_t t = 0, n = 0, after_star = std::string::npos, taken = 0;
  while (n < name.size()) {
    if (t < text_.size() && text_[t] == '*') {
      after_star = ++t;
      taken = n;
    } else if (t < text_.size() && (text_[t] == '?' || text_[t] == name[n])) {
      ++t, ++n;
    } else if (after_star != std::string::npos) {
      t = after_star;
      n = ++taken;
    } else {
      return false;
    }
  }
  return text_.find_first_not_of('*', t) == std::string::npos;
}

}  // namespace faultline
