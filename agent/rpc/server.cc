#include "agent/rpc/server.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/rpc/service.h"
#include "common/log.h"

namespace faultline {
namespace {

constexpr std::string_view kUnix = "unix:";

StatusOr<std::string> read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) return invalid_argument("cannot read {}", path);
  return text.str();
}

StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials(const ListenOptions& options) {
  if (options.tls_cert.empty())
    return grpc::InsecureServerCredentials();  // a unix socket: the file's mode guards it
  FL_ASSIGN_OR_RETURN(const std::string cert, read_pem(options.tls_cert));
  FL_ASSIGN_OR_RETURN(const std::string key, read_pem(options.tls_key));
  FL_ASSIGN_OR_RETURN(const std::string ca, read_pem(options.tls_ca));
  grpc::SslServerCredentialsOptions ssl(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ssl.pem_key_cert_pairs.push_back({key, cert});
  ssl.pem_root_certs = ca;
  return grpc::SslServerCredentials(ssl);
}

}  // namespace

Status check_listen(const ListenOptions& options) {
  const int given = !options.tls_cert.empty() + !options.tls_key.empty() + !options.tls_ca.empty();
  if (given != 0 && given != 3) return invalid_argument("--tls-cert, --tls-key and --tls-ca go together");
  if (options.address.starts_with(kUnix)) {
    const std::string path = options.address.substr(kUnix.size());
    if (!path.starts_with('/'))
      return invalid_argument("--listen {}: the socket's path must begin with /", options.address);
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
      return invalid_argument("--listen {}: a socket's path has at most {} characters", options.address,
                              sizeof(sockaddr_un::sun_path) - 1);
    }
    return ok_status();
  }
  const std::size_t colon = options.address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == options.address.size()) {
    return invalid_argument("--listen {}: expected unix:/path or HOST:PORT", options.address);
  }
  if (given == 0) {
    return invalid_argument(
        "--listen {}: TCP needs --tls-cert, --tls-key and --tls-ca; nobody may call without a certificate",
        options.address);
  }
  return ok_status();
}

struct RpcServer::Running {
  std::unique_ptr<v1::Agent::Service> service;
  std::unique_ptr<grpc::Server> server;
};

RpcServer::RpcServer(std::unique_ptr<Running> running) : running_(std::move(running)) {}

StatusOr<std::unique_ptr<RpcServer>> RpcServer::start(Engine& engine, const ListenOptions& options) {
  FL_RETURN_IF_ERROR(check_listen(options));
  const bool local = options.address.starts_with(kUnix);
  if (local) {
    std::error_code error;
    const std::filesystem::path path(options.address.substr(kUnix.size()));
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) return errno_status(error.value(), "create " + path.parent_path().string());
  }
  auto running = std::make_unique<Running>();
  running->service = make_agent_service(engine);
  grpc::ServerBuilder builder;
  int port = 0;
  FL_ASSIGN_OR_RETURN(const auto creds, credentials(local ? ListenOptions{} : options));
  builder.AddListeningPort(options.address, creds, &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second agent must fail, not share the port
  builder.RegisterService(running->service.get());
  const mode_t old_mask = ::umask(0177);  // the socket's file is its owner's alone from the first moment on
  running->server = builder.BuildAndStart();
  ::umask(old_mask);
  if (!running->server) return make_error(StatusCode::kUnavailable, "cannot listen on {}", options.address);
  spdlog::info("event=listening address={} port={}", options.address, port);
  return std::unique_ptr<RpcServer>(new RpcServer(std::move(running)));
}

RpcServer::~RpcServer() {
  running_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  running_->server->Wait();
}

}  // namespace faultline
