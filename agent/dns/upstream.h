// Where a responder sends what it does not answer itself.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <optional>

namespace faultline {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// A name server of the target, by the responder's port that stands for it.
struct DnsPlace {
  bool v6 = false;
  int index = 0;
};

// nullopt: nobody knows that server yet.
using DnsUpstream = std::function<std::optional<SocketAddress>(DnsPlace)>;

}  // namespace faultline
