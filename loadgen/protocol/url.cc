#include "loadgen/protocol/url.h"

#include <algorithm>
#include <charconv>

namespace faultline {
namespace {

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

}  // namespace

StatusOr<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  const auto bad = [&](std::string_view why) { return invalid_argument("{}: {}", text, why); };
  if (!text.starts_with(kScheme)) return bad("the URL must begin with http://");
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == 0x7f; })) {
    return bad("the URL has a blank or a control character in it");
  }
  std::string_view rest = text.substr(kScheme.size());
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end), path = rest.substr(end);
  if (authority.find('@') != std::string_view::npos)
    return bad("a user in the URL is not sent; use -H Authorization");
  std::size_t colon = authority.rfind(':');
  std::string_view host = authority;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return bad("the address has no closing bracket");
    host = authority.substr(1, close - 1);
    colon = close + 1 < authority.size() ? close + 1 : std::string_view::npos;
    if (colon != std::string_view::npos && authority[colon] != ':') return bad("the port is not clear");
  } else {
    host = authority.substr(0, colon);
  }
  if (host.empty()) return bad("the URL names no host");
  const std::string_view port = colon == std::string_view::npos ? "80" : authority.substr(colon + 1);
  if (!is_port(port)) return bad("the port must be a number from 1 to 65535");
  return Url{.host = std::string(host),
             .port = std::string(port),
             .path = path.empty()          ? "/"
                     : path.front() == '?' ? "/" + std::string(path)
                                           : std::string(path),
             .authority = std::string(authority)};
}

}  // namespace faultline
