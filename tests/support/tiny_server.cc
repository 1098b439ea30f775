#include "tests/support/tiny_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace faultline::testing {
namespace {

std::pair<UniqueFd, std::uint16_t> bind_loopback() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), any, size) != 0 || ::getsockname(fd.get(), any, &size) != 0) {
    throw std::runtime_error("bind to the loopback");
  }
  return {std::move(fd), ntohs(address.sin_port)};
}

bool readable(int fd, int timeout_ms) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, timeout_ms) == 1;
}

// True when the empty line came before the peer closed or the server ends.
bool read_head(const UniqueFd& connection, const std::atomic<bool>& ending) {
  std::string head;
  std::array<char, 1024> buffer;
  while (head.find("\r\n\r\n") == std::string::npos) {
    if (ending) return false;
    if (!readable(connection.get(), 10)) continue;
    const ssize_t size = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    head.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace

TinyServer::TinyServer(Serve serve) {
  std::tie(listener_, port_) = bind_loopback();
  if (::listen(listener_.get(), 64) != 0) throw std::runtime_error("listen");
  thread_ = std::thread([this, serve = std::move(serve)] {
    while (!ending_) {
      if (!readable(listener_.get(), 10)) continue;
      const UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection.valid()) serve(connection, ending_);
    }
  });
}

TinyServer::~TinyServer() {
  ending_ = true;
  thread_.join();
}

TinyServer::Serve answers(std::string answer) {
  return [answer = std::move(answer)](const UniqueFd& connection, const std::atomic<bool>& ending) {
    if (!read_head(connection, ending)) return;
    std::size_t sent = 0;
    while (sent < answer.size()) {
      const ssize_t size = ::send(connection.get(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) return;
      sent += static_cast<std::size_t>(size);
    }
  };
}

TinyServer::Serve answers_http(int status, const std::string& body) {
  return answers("HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
}

TinyServer::Serve hangs() {
  return [](const UniqueFd& connection, const std::atomic<bool>& ending) {
    if (!read_head(connection, ending)) return;
    while (!ending && !readable(connection.get(), 10)) {
    }
  };
}

std::uint16_t closed_port() {
  return bind_loopback().second;
}

}  // namespace faultline::testing
