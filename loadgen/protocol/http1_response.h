// Reads HTTP/1.x responses as they come in, in parts of any size, and says where each ends. Keeps what a load
// generator needs of it, not the whole. Strict: what RFC 9112 lets a client refuse is refused, for a response
// whose end is not certain makes every later one on the connection uncertain. Bounded memory. Source: RFC
// 9110, 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace faultline {

class Http1Response {
 public:
  enum class Progress {
    kMore,      // not at its end yet
    kComplete,  // what has been read ends here
    kBad,       // no HTTP/1.x response: error() says why; the connection is of no further use
  };

  // For the next response. `to_head`: of a HEAD request, so it has no body whatever it says. `keep`: so many
  // bytes of the body, at most, are kept.
  void start(bool to_head = false, std::size_t keep = 0);
  // Reads on; `used` is how many of the bytes belong to this response, all but where it is complete.
  Progress feed(std::string_view bytes, std::size_t& used);
  // The connection was closed by the other side: kComplete where that is how the response ends.
  Progress closed();

  int status() const { return status_; }  // 0: not known yet
  bool keep_alive() const { return keep_alive_; }
  std::uint64_t body_bytes() const { return body_bytes_; }  // without the framing of chunks
  std::string_view body() const { return body_; }           // as much as is kept
  std::uint64_t retry_after_s() const { return retry_after_s_; }
  std::string_view error() const { return error_; }
  bool begun() const { return begun_; }  // a byte of it was seen

  static constexpr std::size_t kMaxHead = 64 * 1024;  // bytes of all lines before the body, and of trailers

 private:
  enum class State {
    kStatus,
    kField,
    kBody,
    kUntilClose,
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailer,
    kDone,
    kBad
  };

  Progress bad(std::string_view why);
  bool take_line(std::string_view bytes, std::size_t& at, std::string_view& line);
  bool on_line(std::string_view line);
  bool on_status(std::string_view line);
  bool on_field(std::string_view line);
  bool on_head_end();
  bool on_chunk_size(std::string_view line);
  void take_body(std::string_view bytes);

  State state_ = State::kStatus;
  bool to_head_ = false, keep_alive_ = true, chunked_ = false, has_length_ = false, begun_ = false;
  int status_ = 0;
  std::size_t keep_ = 0, head_bytes_ = 0;
  std::uint64_t left_ = 0;  // of the body or the chunk
  std::uint64_t length_ = 0, body_bytes_ = 0, retry_after_s_ = 0;
  std::string_view error_;
  std::string partial_;  // a line that has come in part
  std::string body_;
};

}  // namespace faultline
