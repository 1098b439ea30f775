#include "agent/watchdog/line.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace faultline {

Line::Line(std::string_view level) noexcept {
  text("[").text(level).text("] watchdog: ");
}

Line& Line::text(std::string_view text) noexcept {
  const std::size_t room = buffer_.size() - 1 - size_;  // of the newline
  const std::size_t size = std::min(room, text.size());
  std::copy_n(text.begin(), size, buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += size;
  return *this;
}

Line& Line::number(long number) noexcept {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return text({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void Line::write() noexcept {
  buffer_[size_++] = '\n';
  // A pipe that is ready takes a short line whole; one whose reader has stopped must not stop us.
  pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT)) {
    (void)!::write(STDERR_FILENO, buffer_.data(), size_);
  }
}

}  // namespace faultline
