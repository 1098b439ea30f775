#include "tests/support/lab_stream.h"

#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "tests/support/lab_net.h"

namespace faultline::testing {
namespace {

constexpr std::int64_t kPatienceNs = 20'000'000'000;
constexpr std::size_t kChunk = 16384;
constexpr double kEndlessBytesPerNs = 1e-3;
constexpr std::size_t kWindow = 8 * kChunk;  // on the way at once, so that the echo server never blocks

char byte_at(std::size_t offset) {
  return static_cast<char>(offset ^ offset >> 8 ^ offset >> 16);
}

bool told_to_stop() {
  pollfd p{0, POLLIN, 0};
  if (::poll(&p, 1, 0) != 1) return false;
  std::string line;
  std::getline(std::cin, line);
  return true;
}

struct Progress {
  std::size_t sent = 0;
  std::size_t back = 0;
  std::size_t wrong = 0;
};

bool send_some(int fd, std::size_t bytes, Progress& progress) {
  char data[kChunk];
  const std::size_t room = std::min(bytes - progress.sent, kWindow - (progress.sent - progress.back));
  const std::size_t size = std::min(room, kChunk);
  for (std::size_t i = 0; i < size; ++i) data[i] = byte_at(progress.sent + i);
  const ssize_t n = size > 0 ? ::send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
  progress.sent += n > 0 ? static_cast<std::size_t>(n) : 0;
  return n >= 0 || errno == EAGAIN;
}

bool take_some(int fd, Progress& progress) {
  char data[kChunk];
  const ssize_t n = ::recv(fd, data, sizeof data, MSG_DONTWAIT);
  for (ssize_t i = 0; i < n; ++i) progress.wrong += data[i] != byte_at(progress.back++);
  return n > 0 || (n < 0 && errno == EAGAIN);
}

}  // namespace

std::string stream(const std::string& to, int port, std::size_t bytes) {
  const Address address = address_of(to, port);
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM, 0);
  if (::connect(fd, address.get(), address.size) != 0) {
    ::close(fd);
    return "-1";
  }
  const std::int64_t start = now_ns();
  std::size_t wanted = bytes > 0 ? bytes : SIZE_MAX;
  std::int64_t moved = start;
  Progress progress;
  while (progress.back < wanted) {
    if (wanted == SIZE_MAX && told_to_stop()) wanted = progress.sent;
    if (progress.back == wanted) break;
    const bool paced = wanted == SIZE_MAX;
    const auto due = static_cast<std::size_t>(static_cast<double>(now_ns() - start) * kEndlessBytesPerNs);
    const bool early = paced && progress.sent + kChunk > due;
    const bool more = !early && progress.sent < wanted && progress.sent - progress.back < kWindow;
    pollfd p{fd, static_cast<short>(more ? POLLIN | POLLOUT : POLLIN), 0};
    const int ready = ::poll(&p, 1, early ? 2 : static_cast<int>(kPatienceNs / 1'000'000));
    if (ready == 0 && early && now_ns() - moved < kPatienceNs) continue;
    if (ready != 1) break;
    moved = now_ns();
    if ((p.revents & POLLOUT) && !send_some(fd, wanted, progress)) break;
    if ((p.revents & ~POLLOUT) && !take_some(fd, progress)) break;
  }
  const std::int64_t took = now_ns() - start;
  tcp_info info{};
  socklen_t size = sizeof info;
  ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  ::close(fd);
  if (wanted == SIZE_MAX) {  // it broke before it was told to end
    std::string line;
    std::getline(std::cin, line);
  }
  return std::to_string(progress.sent) + " " + std::to_string(progress.back) + " " +
         std::to_string(progress.wrong) + " " + std::to_string(info.tcpi_total_retrans) + " " +
         std::to_string(took);
}

}  // namespace faultline::testing
