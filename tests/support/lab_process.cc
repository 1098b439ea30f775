// A process of the network lab: lives in the cgroup that it is told, in the network namespace that it was
// started in.
//   lab_process echo ADDRESS PORT ...  answers every UDP datagram and accepts TCP connections on these pairs
//   lab_process client CGROUP_DIR  enters the cgroup, then obeys lines on stdin, one line on stdout each:
//     udp ADDRESS PORT COUNT INTERVAL_US WAIT_MS   sends COUNT numbered datagrams, waits for the echoes
//       -> "SENT REFUSED", then "SENT_NS RTT_NS" for each datagram (CLOCK_MONOTONIC; RTT -1: no echo;
//       REFUSED: how often send() failed)
//     tcp ADDRESS PORT WAIT_MS
//       -> "NS" until connected, -1 if not
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::int64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address address_of(const std::string& text, int port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    address.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    address.size = sizeof *v6;
  }
  return address;
}

int echo(const std::vector<std::string>& pairs) {
  std::vector<pollfd> fds;
  const int on = 1;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    // Each address on its own, so that an answer comes from where the question went.
    const Address own = address_of(pairs[i], std::stoi(pairs[i + 1]));
    const int udp = ::socket(own.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const int tcp = ::socket(own.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ::setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const int room = 8 << 20;
    ::setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (::bind(udp, own.get(), own.size) != 0 || ::bind(tcp, own.get(), own.size) != 0 ||
        ::listen(tcp, 64) != 0) {
      std::perror("bind");
      return 1;
    }
    fds.push_back({udp, POLLIN, 0});
    fds.push_back({tcp, POLLIN, 0});
  }
  std::cout << "ready" << std::endl;
  for (;;) {
    ::poll(fds.data(), fds.size(), -1);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (!(fds[i].revents & POLLIN)) continue;
      if (i % 2 == 1) {
        ::close(::accept(fds[i].fd, nullptr, nullptr));
        continue;
      }
      char data[2048];
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      for (ssize_t n; (n = ::recvfrom(fds[i].fd, data, sizeof data, 0, reinterpret_cast<sockaddr*>(&from),
                                      &size)) > 0;) {
        ::sendto(fds[i].fd, data, static_cast<std::size_t>(n), 0, reinterpret_cast<sockaddr*>(&from), size);
      }
    }
  }
}

struct Datagram {
  std::uint64_t number;
  std::int64_t sent_ns;
};

void receive(int fd, std::int64_t until_ns, std::vector<std::int64_t>& rtts, std::size_t& missing) {
  while (missing > 0) {
    const std::int64_t left = until_ns - now_ns();
    pollfd p{fd, POLLIN, 0};
    timespec wait{left / 1'000'000'000, left % 1'000'000'000};
    if (left <= 0 || ::ppoll(&p, 1, &wait, nullptr) <= 0) return;
    Datagram d{};
    while (::recv(fd, &d, sizeof d, MSG_DONTWAIT) == sizeof d) {
      if (d.number < rtts.size() && rtts[d.number] < 0) {
        rtts[d.number] = now_ns() - d.sent_ns;
        --missing;
      }
    }
  }
}

void udp(const std::string& to, int port, std::size_t count, std::int64_t interval_us, std::int64_t wait_ms) {
  const Address address = address_of(to, port);
  const int fd = ::socket(address.storage.ss_family, SOCK_DGRAM, 0);
  const int room = 8 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  ::connect(fd, address.get(), address.size);
  std::vector<std::int64_t> rtts(count, -1);
  std::size_t missing = count;
  std::vector<std::int64_t> sent_ns(count, 0);
  std::size_t refused = 0;
  const std::int64_t start = now_ns();
  for (std::size_t i = 0; i < count; ++i) {
    receive(fd, start + static_cast<std::int64_t>(i) * interval_us * 1000, rtts, missing);
    while (now_ns() < start + static_cast<std::int64_t>(i) * interval_us * 1000) ::usleep(50);
    const Datagram d{i, now_ns()};
    sent_ns[i] = d.sent_ns;
    refused += ::send(fd, &d, sizeof d, 0) != sizeof d;
  }
  receive(fd, now_ns() + wait_ms * 1'000'000, rtts, missing);
  ::close(fd);
  std::cout << count << ' ' << refused;
  for (std::size_t i = 0; i < count; ++i) std::cout << ' ' << sent_ns[i] << ' ' << rtts[i];
  std::cout << std::endl;
}

void tcp(const std::string& to, int port, int wait_ms) {
  const Address address = address_of(to, port);
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const std::int64_t start = now_ns();
  ::connect(fd, address.get(), address.size);
  pollfd p{fd, POLLOUT, 0};
  const bool done = ::poll(&p, 1, wait_ms) == 1 && !(p.revents & (POLLERR | POLLHUP));
  std::cout << (done ? now_ns() - start : -1) << std::endl;
  ::close(fd);
}

int client(const std::string& cgroup) {
  std::ofstream(cgroup + "/cgroup.procs") << ::getpid() << std::flush;
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb, to;
    int port = 0;
    words >> verb >> to >> port;
    if (verb == "udp") {
      std::size_t count = 0;
      std::int64_t interval_us = 0, wait_ms = 0;
      words >> count >> interval_us >> wait_ms;
      udp(to, port, count, interval_us, wait_ms);
    } else {
      int wait_ms = 0;
      words >> wait_ms;
      tcp(to, port, wait_ms);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() >= 2 && args[0] == "echo") return echo({args.begin() + 1, args.end()});
  if (args.size() == 2 && args[0] == "client") return client(args[1]);
  return 2;
}
