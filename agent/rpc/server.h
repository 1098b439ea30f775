// The agent's gRPC service over an engine. A unix socket by default, reachable by its owner only; TCP only
// with mutual TLS: no certificate, no port. Owns its threads.
#pragma once

#include <memory>
#include <string>

#include "agent/engine/engine.h"
#include "common/status.h"

namespace faultline {

struct ListenOptions {
  std::string address;   // unix:/path or HOST:PORT
  std::string tls_cert;  // PEM files; all three or none
  std::string tls_key;
  std::string tls_ca;  // who may call: certificates that this CA signed
};

// InvalidArgument when TCP is asked for without certificates, or the address has no such form.
Status check_listen(const ListenOptions& options);

class RpcServer {
 public:
  // `engine` must outlive the server.
  static StatusOr<std::unique_ptr<RpcServer>> start(Engine& engine, const ListenOptions& options);
  ~RpcServer();  // ends every open call

 private:
  struct Running;
  explicit RpcServer(std::unique_ptr<Running> running);
  std::unique_ptr<Running> running_;
};

}  // namespace faultline
