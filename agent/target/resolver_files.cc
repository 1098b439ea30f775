#include "agent/target/resolver_files.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace faultline {
namespace {

constexpr std::size_t kMostNameservers = 3;  // MAXNS
constexpr std::size_t kMostSearched = 6;     // MAXDNSRCH
constexpr int kMostDots = 15;                // RES_MAXNDOTS
constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestLabel = 63;

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r\f\v";
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(kBlank); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kBlank, end);
  }
  return words;
}

template <typename Each>
void each_line(std::string_view text, std::string_view comment, Each each) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    each(words_of(line.substr(0, line.find_first_of(comment))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool same_name(std::string_view a, std::string_view b) {
  if (a.ends_with('.')) a.remove_suffix(1);
  if (b.ends_with('.')) b.remove_suffix(1);
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool is_address(std::string_view text) {
  return text.find('/') == std::string_view::npos && parse_ip_network(text).ok();
}

void set_options(const std::vector<std::string_view>& words, ResolverSettings& settings) {
  constexpr std::string_view kDots = "ndots:";
  for (const std::string_view word : words) {
    int dots = 0;
    if (!word.starts_with(kDots)) continue;
    const char* end = word.data() + word.size();
    if (std::from_chars(word.data() + kDots.size(), end, dots).ec == std::errc()) {
      settings.ndots = std::clamp(dots, 0, kMostDots);
    }
  }
}

}  // namespace

ResolverSettings parse_resolv_conf(std::string_view text) {
  ResolverSettings settings;
  each_line(text, "#;", [&](const std::vector<std::string_view>& words) {
    if (words.size() < 2) return;
    if (words[0] == "nameserver") {
      // A scope ("fe80::1%eth0") is no address to us; such a server is reached by others or not at all.
      if (is_address(words[1]) && settings.nameservers.size() < kMostNameservers) {
        settings.nameservers.emplace_back(words[1]);
      }
    } else if (words[0] == "search" || words[0] == "domain") {
      settings.search.clear();  // the last one counts
      for (std::size_t i = 1; i < words.size() && settings.search.size() < kMostSearched; ++i) {
        if (check_host_name(words[i]).ok()) settings.search.emplace_back(words[i]);
      }
    } else if (words[0] == "options") {
      set_options(words, settings);
    }
  });
  if (settings.nameservers.empty()) settings.nameservers.emplace_back("127.0.0.1");
  return settings;
}

std::vector<IpNetwork> addresses_in_hosts(std::string_view text, std::string_view name) {
  std::vector<std::string> seen;
  std::vector<IpNetwork> addresses;
  each_line(text, "#", [&](const std::vector<std::string_view>& words) {
    if (words.size() < 2 || !is_address(words[0])) return;
    if (std::none_of(words.begin() + 1, words.end(), [&](auto word) { return same_name(word, name); }))
      return;
    const IpNetwork address = parse_ip_network(words[0]).value();
    if (std::find(seen.begin(), seen.end(), to_string(address)) != seen.end()) return;
    seen.push_back(to_string(address));
    addresses.push_back(address);
  });
  return addresses;
}

Status check_host_name(std::string_view name) {
  std::string_view rest = name;
  if (rest.ends_with('.')) rest.remove_suffix(1);
  bool good = !rest.empty() && rest.size() <= kLongestName;
  bool only_digits = true;
  std::size_t label = 0;
  for (const char c : rest) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    only_digits = only_digits && (digit || c == '.');
    good = good && (digit || letter || (c == '.' && label > 0));
    label = c == '.' ? 0 : label + 1;
    good = good && label <= kLongestLabel;
  }
  if (good && label > 0 && !only_digits) return ok_status();
  return invalid_argument("\"{}\" is neither an address or network nor a host name", name);
}

}  // namespace faultline
