// The parts of an http URL (RFC 3986) that a request is made of.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace faultline {

struct Url {
  std::string host;       // an IPv6 address without its brackets
  std::string port;       // "80" where none is named
  std::string path;       // with the query; "/" where none is named
  std::string authority;  // as in the URL: for the Host field
};

// InvalidArgument says what is wrong with it. Only "http://" so far.
StatusOr<Url> parse_url(std::string_view text);

}  // namespace faultline
