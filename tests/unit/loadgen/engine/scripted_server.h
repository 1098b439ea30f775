// A TCP server on the loopback address that treats each connection as it is told, in a thread of its own.
// Ends with the object, and ends its connections with it.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <list>
#include <string>
#include <thread>

#include "common/unique_fd.h"
#include "loadgen/engine/worker.h"

namespace faultline {

class ScriptedServer {
 public:
  using Script = std::function<void(int fd, const std::atomic<bool>& over)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto* in = reinterpret_cast<sockaddr_in*>(&address_.storage);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address_.size = sizeof(sockaddr_in);
    auto* any = reinterpret_cast<sockaddr*>(&address_.storage);
    if (::bind(listener_.get(), any, address_.size) != 0 || ::listen(listener_.get(), 128) != 0 ||
        ::getsockname(listener_.get(), any, &address_.size) != 0) {
      std::abort();
    }
    accepting_ = std::jthread([this] { accept_all(); });
  }
  ~ScriptedServer() {
    over_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    accepting_.join();
    for (const UniqueFd& fd : connections_) ::shutdown(fd.get(), SHUT_RDWR);
    serving_.clear();
  }

  const Address& address() const { return address_; }
  int accepted() const { return accepted_; }

  // Reads until a request without a body is whole. False: the client has closed.
  static bool read_request(int fd, std::string& rest) {
    for (;;) {
      if (const std::size_t end = rest.find("\r\n\r\n"); end != std::string::npos) {
        rest.erase(0, end + 4);
        return true;
      }
      char bytes[4096];
      const ssize_t size = ::recv(fd, bytes, sizeof bytes, 0);
      if (size <= 0) return false;
      rest.append(bytes, static_cast<std::size_t>(size));
    }
  }
  static void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  // Answers every request so.
  static Script answering(std::string answer) {
    return [answer = std::move(answer)](int fd, const std::atomic<bool>&) {
      for (std::string rest; read_request(fd, rest);) write_all(fd, answer);
    };
  }

 private:
  void accept_all() {
    while (!over_) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++accepted_;
      const UniqueFd& kept = connections_.emplace_back(fd);
      serving_.emplace_back([this, &kept] {
        script_(kept.get(), over_);
        ::shutdown(kept.get(), SHUT_RDWR);
      });
    }
  }

  Script script_;
  UniqueFd listener_;
  Address address_;
  std::atomic<bool> over_ = false;
  std::atomic<int> accepted_ = 0;
  std::list<UniqueFd> connections_;
  std::list<std::jthread> serving_;
  std::jthread accepting_;
};

}  // namespace faultline
