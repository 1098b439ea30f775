#include "controller/clients/agent_address.h"

#include <sys/un.h>

#include <charconv>

namespace faultline {
namespace {

constexpr std::string_view kUnixScheme = "unix:";

Status check_unix(const AgentAddress& address) {
  const std::string path = address.address.substr(kUnixScheme.size());
  if (path.empty() || path.front() != '/') {
    return invalid_argument("--agent {}: the socket's path must be absolute, unix:/run/faultline/agent.sock",
                            address.address);
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return invalid_argument("--agent {}: a socket's path has at most {} bytes", address.address,
                            sizeof(sockaddr_un::sun_path) - 1);
  }
  if (!address.tls_ca.empty() || !address.tls_cert.empty() || !address.tls_key.empty()) {
    return invalid_argument("--tls-ca, --tls-cert and --tls-key are for an agent at host:port, not for {}",
                            address.address);
  }
  return ok_status();
}

bool is_port(const std::string& text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

}  // namespace

Status check_address(const AgentAddress& address) {
  if (address.is_unix()) return check_unix(address);
  const std::size_t colon = address.address.rfind(':');
  if (colon == std::string::npos || colon == 0 || !is_port(address.address.substr(colon + 1))) {
    return invalid_argument("--agent {}: expected unix:/PATH or HOST:PORT", address.address);
  }
  if (address.tls_ca.empty() || address.tls_cert.empty() || address.tls_key.empty()) {
    return invalid_argument(
        "--agent {}: over TCP the agent wants certificates: --tls-ca, --tls-cert and --tls-key",
        address.address);
  }
  return ok_status();
}

}  // namespace faultline
