#include "controller/clients/connect_cure.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

#include "common/unique_fd.h"

namespace faultline {
namespace {

// 0: somebody listens there. The path is one that check_address() took.
int error_of_connecting(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return errno;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof(name.sun_path) - 1);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0 ? 0 : errno;
}

}  // namespace

std::string connect_cure(const AgentAddress& address, const std::string& transport_says) {
  if (!address.is_unix()) {
    return transport_says +
           "; is faultline-agent listening there, and was each side's certificate signed by the other's "
           "--tls-ca?";
  }
  switch (error_of_connecting(address.address.substr(std::string("unix:").size()))) {
    case ENOENT:
    case ENOTDIR:
      return "no such socket; is faultline-agent running on this machine? Start it as root, or name its "
             "socket with "
             "--agent";
    case ECONNREFUSED:
      return "the socket is there, but nobody listens; has faultline-agent ended? Start it again as root";
    case EACCES:
    case EPERM:
      return "permission denied; the socket is for root alone: run faultline as root";
    default:
      return transport_says + "; is it faultline-agent that listens there?";
  }
}

}  // namespace faultline
