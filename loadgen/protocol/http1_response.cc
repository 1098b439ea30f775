#include "loadgen/protocol/http1_response.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace faultline {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool same(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return lower(x) == y; });
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool number(std::string_view digits, std::uint64_t& value, int base = 10) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

// Whether the list "a, b, c" has the element, which is in lower case.
bool lists(std::string_view list, std::string_view element) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (same(trimmed(list.substr(0, comma)), element)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > 0x20 && c < 0x7f && !std::strchr("()<>@,;:\\\"/[]?={}", c);
  });
}

}  // namespace

void Http1Response::start(bool to_head, std::size_t keep) {
  state_ = State::kStatus;
  to_head_ = to_head;
  keep_ = keep;
  keep_alive_ = true;
  chunked_ = has_length_ = begun_ = false;
  status_ = 0;
  head_bytes_ = 0;
  left_ = length_ = body_bytes_ = retry_after_s_ = 0;
  error_ = {};
  partial_.clear();
  body_.clear();
}

Http1Response::Progress Http1Response::bad(std::string_view why) {
  state_ = State::kBad;
  error_ = why;
  return Progress::kBad;
}

// The next line without its end, once all of it is there. LF alone ends a line, too (RFC 9112, 2.2).
bool Http1Response::take_line(std::string_view bytes, std::size_t& at, std::string_view& line) {
  const std::string_view rest = bytes.substr(at);
  const auto* end = static_cast<const char*>(std::memchr(rest.data(), '\n', rest.size()));
  const std::size_t taken = end ? static_cast<std::size_t>(end - rest.data()) + 1 : rest.size();
  at += taken;
  head_bytes_ += taken;
  if (!end || !partial_.empty()) {
    if (head_bytes_ <= kMaxHead) partial_.append(rest.substr(0, taken));
    if (!end) return false;
    line = partial_;
  } else {
    line = rest.substr(0, taken);
  }
  if (!line.empty()) line.remove_suffix(1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return true;
}

bool Http1Response::on_status(std::string_view line) {
  // HTTP/1.x SP 3DIGIT [SP reason]
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[7] < '0' || line[7] > '9' || line[8] != ' ' ||
      (line.size() > 12 && line[12] != ' ')) {
    bad("no HTTP/1.x status line");
    return false;
  }
  std::uint64_t code = 0;
  if (!number(line.substr(9, 3), code) || code < 100) {
    bad("no status code");
    return false;
  }
  status_ = static_cast<int>(code);
  keep_alive_ = line[7] != '0';
  state_ = State::kField;
  return true;
}

bool Http1Response::on_field(std::string_view line) {
  if (line.empty()) return on_head_end();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    bad("no header field");
    return false;
  }
  const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
  if (same(name, "content-length")) {
    std::uint64_t length = 0;
    if (!number(value, length) || (has_length_ && length != length_)) {
      bad("content-length is no number, or two that differ");
      return false;
    }
    has_length_ = true;
    length_ = length;
  } else if (same(name, "transfer-encoding")) {
    if (!same(value, "chunked") || chunked_) {
      bad("a transfer-encoding other than chunked");
      return false;
    }
    chunked_ = true;
  } else if (same(name, "connection")) {
    if (lists(value, "close"))
      keep_alive_ = false;
    else if (lists(value, "keep-alive"))
      keep_alive_ = true;
  } else if (same(name, "retry-after")) {
    if (!number(value, retry_after_s_)) retry_after_s_ = 0;  // a date
  }
  return true;
}

bool Http1Response::on_head_end() {
  if (status_ < 200) {  // an interim response: the one to wait for comes behind it
    if (status_ == 101) {
      bad("switches to a protocol that was not asked for");
      return false;
    }
    chunked_ = has_length_ = false;
    status_ = 0;
    state_ = State::kStatus;
    return true;
  }
  if (chunked_ && has_length_) {
    bad("both content-length and transfer-encoding");
    return false;
  }
  if (to_head_ || status_ == 204 || status_ == 304) {
    state_ = State::kDone;
  } else if (chunked_) {
    state_ = State::kChunkSize;
  } else if (has_length_) {
    left_ = length_;
    state_ = left_ == 0 ? State::kDone : State::kBody;
  } else {
    keep_alive_ = false;
    state_ = State::kUntilClose;
  }
  return true;
}

bool Http1Response::on_chunk_size(std::string_view line) {
  const std::string_view digits = trimmed(line.substr(0, line.find(';')));
  if (!number(digits, left_, 16)) {
    bad("no chunk size");
    return false;
  }
  head_bytes_ = 0;  // the bound is for one line here
  state_ = left_ == 0 ? State::kTrailer : State::kChunk;
  return true;
}

bool Http1Response::on_line(std::string_view line) {
  switch (state_) {
    case State::kStatus:
      return on_status(line);
    case State::kField:
      return on_field(line);
    case State::kChunkSize:
      return on_chunk_size(line);
    case State::kChunkEnd:
      state_ = State::kChunkSize;
      if (line.empty()) return true;
      bad("a chunk is longer than it says");
      return false;
    default:  // kTrailer
      if (line.empty()) state_ = State::kDone;
      return true;
  }
}

void Http1Response::take_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (body_.size() < keep_) body_.append(bytes.substr(0, keep_ - body_.size()));
}

Http1Response::Progress Http1Response::feed(std::string_view bytes, std::size_t& used) {
  used = 0;
  if (!bytes.empty()) begun_ = true;
  while (state_ != State::kDone && state_ != State::kBad && used < bytes.size()) {
    if (state_ == State::kBody || state_ == State::kChunk || state_ == State::kUntilClose) {
      std::uint64_t size = bytes.size() - used;
      if (state_ != State::kUntilClose) left_ -= size = std::min(size, left_);
      take_body(bytes.substr(used, size));
      used += size;
      if (state_ != State::kUntilClose && left_ == 0) {
        state_ = state_ == State::kBody ? State::kDone : State::kChunkEnd;
      }
      continue;
    }
    std::string_view line;
    const bool whole = take_line(bytes, used, line);
    if (head_bytes_ > kMaxHead) return bad("a head without end");
    if (!whole) break;
    const bool good = on_line(line);
    partial_.clear();
    if (!good) return Progress::kBad;
  }
  if (state_ == State::kBad) return Progress::kBad;
  return state_ == State::kDone ? Progress::kComplete : Progress::kMore;
}

Http1Response::Progress Http1Response::closed() {
  if (state_ == State::kUntilClose || state_ == State::kDone) {
    state_ = State::kDone;
    return Progress::kComplete;
  }
  return bad(begun_ ? "closed in the middle of a response" : "closed without a response");
}

}  // namespace faultline
