#include "agent/dns/responder.h"

#include <poll.h>

#include <cerrno>
#include <future>

namespace faultline {
namespace {

constexpr int kBacklog = 64;
constexpr int kProbeMs = 500;

SocketAddress loopback(bool v6) {
  SocketAddress address;
  if (v6) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    in6->sin6_family = AF_INET6;
    in6->sin6_addr = in6addr_loopback;
    address.size = sizeof *in6;
  } else {
    auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.size = sizeof *in;
  }
  return address;
}

// Bound to a port that the kernel chooses. FailedPrecondition: there is no such loopback address.
StatusOr<UniqueFd> bound_socket(bool v6, int type) {
  const SocketAddress own = loopback(v6);
  UniqueFd fd(::socket(own.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.valid() && ::bind(fd.get(), own.get(), own.size) == 0) return fd;
  const int error = errno;
  if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT) {
    return make_error(StatusCode::kFailedPrecondition,
                      "the network namespace has no loopback address {} for the DNS responder",
                      v6 ? "::1" : "127.0.0.1");
  }
  return errno_status(error, "open a socket for the DNS responder");
}

StatusOr<std::uint16_t> port_of(int fd) {
  SocketAddress own;
  if (::getsockname(fd, own.get(), &own.size) != 0) return errno_status(errno, "read a socket's port");
  return ntohs(own.family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&own.storage)->sin6_port
                                        : reinterpret_cast<const sockaddr_in*>(&own.storage)->sin_port);
}

}  // namespace

// An address may be there, and even be bound to, although its interface is down. So: a datagram to itself.
Status probe_loopback() {
  FL_ASSIGN_OR_RETURN(const UniqueFd fd, bound_socket(false, SOCK_DGRAM));
  SocketAddress own;
  char byte = 0;
  pollfd arrival{.fd = fd.get(), .events = POLLIN, .revents = 0};
  if (::getsockname(fd.get(), own.get(), &own.size) == 0 &&
      ::sendto(fd.get(), &byte, 1, 0, own.get(), own.size) == 1 && ::poll(&arrival, 1, kProbeMs) == 1) {
    return ok_status();
  }
  return make_error(
      StatusCode::kFailedPrecondition,
      "the network namespace's loopback interface does not carry 127.0.0.1 for the DNS responder");
}

Responder::Responder(std::unique_ptr<EventLoop> loop, DnsUpstream upstream)
    : loop_(std::move(loop)),
      upstream_(std::move(upstream)),
      udp_(*loop_, rules_, upstream_),
      tcp_(*loop_, rules_, upstream_) {}

StatusOr<std::unique_ptr<Responder>> Responder::make(std::function<Status()> enter, int places,
                                                     DnsUpstream upstream) {
  FL_ASSIGN_OR_RETURN(std::unique_ptr<EventLoop> loop, EventLoop::make());
  std::unique_ptr<Responder> responder(new Responder(std::move(loop), std::move(upstream)));
  std::promise<Status> opened;
  std::future<Status> result = opened.get_future();
  responder->thread_ = std::thread([&self = *responder, &opened, enter = std::move(enter), places] {
    Status status = enter();
    if (status.ok()) status = self.open(places);
    const bool ok = status.ok();
    opened.set_value(std::move(status));
    if (ok) self.loop_->run();
  });
  FL_RETURN_IF_ERROR(result.get());
  return responder;
}

Responder::~Responder() {
  loop_->stop();
  if (thread_.joinable()) thread_.join();
}

Status Responder::open(int places) {
  FL_RETURN_IF_ERROR(probe_loopback());
  for (const bool v6 : {false, true}) {
    ports_[v6].resize(static_cast<std::size_t>(places));
    for (int i = 0; i < places; ++i) {
      const Status status = open_place({.v6 = v6, .index = i});
      if (v6 && i == 0 && status.code() == StatusCode::kFailedPrecondition) break;
      FL_RETURN_IF_ERROR(status);
    }
  }
  return ok_status();
}

Status Responder::open_place(DnsPlace place) {
  DnsPorts& ports = ports_[place.v6][static_cast<std::size_t>(place.index)];
  FL_ASSIGN_OR_RETURN(UniqueFd udp, bound_socket(place.v6, SOCK_DGRAM));
  FL_ASSIGN_OR_RETURN(UniqueFd tcp, bound_socket(place.v6, SOCK_STREAM));
  if (::listen(tcp.get(), kBacklog) != 0) return errno_status(errno, "listen for DNS over TCP");
  FL_ASSIGN_OR_RETURN(ports.udp, port_of(udp.get()));
  FL_ASSIGN_OR_RETURN(ports.tcp, port_of(tcp.get()));
  FL_RETURN_IF_ERROR(udp_.serve(std::move(udp), place));
  return tcp_.serve(std::move(tcp), place);
}

DnsCounters Responder::remove(int rule) {
  const DnsCounters last = rules_.remove(rule);
  // Waited for, so that a later rule in the same place is not taken for this one.
  std::promise<void> released;
  loop_->post([&] {
    udp_.release(rule);
    tcp_.release(rule);
    released.set_value();
  });
  released.get_future().wait();
  return last;
}

void Responder::drain(Nanos at_most) {
  const MonoTime until = mono_now() + at_most;
  while (udp_.outstanding() + tcp_.outstanding() > 0 && mono_now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace faultline
