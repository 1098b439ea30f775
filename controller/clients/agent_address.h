// Where the node agent listens, as given on the command line.
#pragma once

#include <string>

#include "common/status.h"

namespace faultline {

struct AgentAddress {
  std::string address;  // unix:/absolute/path or host:port
  std::string tls_ca;   // PEM files; all three for host:port, none for a unix socket
  std::string tls_cert;
  std::string tls_key;

  bool is_unix() const { return address.rfind("unix:", 0) == 0; }
};

// InvalidArgument, meant for the user: neither form, a relative or too long socket path, no port,
// certificates missing for TCP (the agent is never spoken to in the clear over a network) or given for a unix
// socket.
Status check_address(const AgentAddress& address);

}  // namespace faultline
