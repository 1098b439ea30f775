#include "loadgen/protocol/http1.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/version.h"

namespace faultline {
namespace {

bool has_field(const HttpRequest& request, std::string_view name) {
  return std::any_of(request.fields.begin(), request.fields.end(), [&](const auto& field) {
    return std::equal(field.first.begin(), field.first.end(), name.begin(), name.end(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  });
}

}  // namespace

std::string to_http1(const HttpRequest& request) {
  std::string wire = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.path);
  const auto add = [&](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(wire), "{}: {}\r\n", name, value);
  };
  if (!has_field(request, "Host")) add("Host", request.host);
  if (!has_field(request, "User-Agent")) add("User-Agent", "faultline-load/" FAULTLINE_VERSION);
  const bool has_content = !request.body.empty() || request.method == "POST" || request.method == "PUT";
  if (has_content && !has_field(request, "Content-Length")) {
    add("Content-Length", std::to_string(request.body.size()));
  }
  for (const auto& [name, value] : request.fields) add(name, value);
  return wire + "\r\n" + request.body;
}

void Http1::begin() {
  outstanding_ = 0;
  response_.start(is_head_);
}

void Http1::request(std::string& out) {
  out += *wire_;
  ++outstanding_;
}

Answer Http1::answer() const {
  return {.status = response_.status(),
          .good = response_.status() < 400,
          .failure = Failure::kNone,
          .body_bytes = response_.body_bytes()};
}

bool Http1::take(std::string_view bytes, const OnAnswer& on_answer) {
  while (!bytes.empty()) {
    std::size_t used = 0;
    const auto progress = outstanding_ == 0 ? Http1Response::Progress::kBad : response_.feed(bytes, used);
    if (progress == Http1Response::Progress::kMore) return true;
    if (progress == Http1Response::Progress::kBad) {
      if (outstanding_ > 0) on_answer({.failure = Failure::kBadAnswer});
      return false;
    }
    --outstanding_;
    const bool stays = response_.keep_alive();
    const Answer whole = answer();
    response_.start(is_head_);
    on_answer(whole);
    if (!stays) return false;
    bytes.remove_prefix(used);
  }
  return true;
}

Failure Http1::closed(const OnAnswer& on_answer) {
  const bool begun = response_.begun();
  if (outstanding_ > 0 && response_.closed() == Http1Response::Progress::kComplete) {
    --outstanding_;
    on_answer(answer());
    return Failure::kClosedUnanswered;
  }
  return begun ? Failure::kClosedEarly : Failure::kClosedUnanswered;
}

}  // namespace faultline
