// HTTP/1.1 on one connection: the same request again and again, pipelined as far as the engine lets it. Good
// is any status below 400.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loadgen/engine/exchange.h"
#include "loadgen/protocol/http1_response.h"

namespace faultline {

struct HttpRequest {
  std::string method = "GET";
  std::string path = "/";
  std::string host;  // with the port where it is not the scheme's
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
};

// As it goes over the wire. Host, User-Agent and Content-Length are added where `fields` has none.
std::string to_http1(const HttpRequest& request);

class Http1 : public Exchange {
 public:
  // `wire`: to_http1(); shared by all connections.
  Http1(std::shared_ptr<const std::string> wire, bool is_head) : wire_(std::move(wire)), is_head_(is_head) {}

  void begin() override;
  void request(std::string& out) override;
  bool take(std::string_view bytes, const OnAnswer& on_answer) override;
  Failure closed(const OnAnswer& on_answer) override;

 private:
  Answer answer() const;

  std::shared_ptr<const std::string> wire_;
  bool is_head_;
  unsigned outstanding_ = 0;
  Http1Response response_;
};

}  // namespace faultline
