// Patterns of domain names: * for any number of characters (dots, too), ? for one; without regard to case and
// to a dot at the end. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace faultline {

class NamePattern {
 public:
  // InvalidArgument for what no name can match: nothing, more than 253 characters, empty labels, characters
  // that are neither printable ASCII (international names go in their xn-- form) nor wildcards.
  static StatusOr<NamePattern> parse(std::string_view text);

  bool matches(std::string_view name) const;

 private:
  explicit NamePattern(std::string text) : text_(std::move(text)) {}
  std::string text_;  // lower case, without a dot at the end
};

// Lower case, without a dot at the end.
std::string plain_name(std::string_view name);

}  // namespace faultline
