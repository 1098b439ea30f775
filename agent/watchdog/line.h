// A log line in the agent's form, put together in a buffer of its own and written to stderr only if that
// takes it at once: the watchdog asks for no memory and waits for nobody.
#pragma once

#include <array>
#include <string_view>

namespace faultline {

class Line {
 public:
  explicit Line(std::string_view level) noexcept;
  Line& text(std::string_view text) noexcept;  // what is too long is cut
  Line& number(long number) noexcept;
  void write() noexcept;

 private:
  std::array<char, 256> buffer_{};
  std::size_t size_ = 0;
};

}  // namespace faultline
