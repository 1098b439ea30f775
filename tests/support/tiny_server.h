// A TCP server on a loopback port that does one simple thing to every connection, for tests of clients.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "common/unique_fd.h"

namespace faultline::testing {

class TinyServer {
 public:
  // `serve` gets each accepted connection, one after the other, and a flag that tells when the server ends.
  using Serve = std::function<void(const UniqueFd& connection, const std::atomic<bool>& ending)>;
  explicit TinyServer(Serve serve);
  ~TinyServer();

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

// Reads the request's head, sends `answer`, closes.
TinyServer::Serve answers(std::string answer);
// "HTTP/1.1 STATUS", a length and the body.
TinyServer::Serve answers_http(int status, const std::string& body);
// Reads the request and never answers.
TinyServer::Serve hangs();

// A port of the loopback on which nobody listens.
std::uint16_t closed_port();

}  // namespace faultline::testing
