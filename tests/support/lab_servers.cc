#include "tests/support/lab_servers.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <utility>

#include "tests/support/lab_dns.h"
#include "tests/support/lab_net.h"

namespace faultline::testing {
namespace {

// UDP and TCP on a number of addresses; what to answer is the caller's.
class Server {
 public:
  // From what one datagram holds.
  using OnDatagram = std::function<std::string(const std::string& data, int place)>;
  // From what a connection has brought so far; takes away what it has answered.
  using OnStream = std::function<std::string(std::string& data, int place)>;

  bool listen(const Address& own) {
    const int on = 1;
    const int udp = ::socket(own.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const int tcp = ::socket(own.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ::setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const int room = 8 << 20;
    ::setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (::bind(udp, own.get(), own.size) != 0 || ::bind(tcp, own.get(), own.size) != 0 ||
        ::listen(tcp, 64) != 0) {
      std::perror("bind");
      return false;
    }
    ++places_;
    sockets_[udp] = {.what = What::kUdp, .place = places_, .data = {}};
    sockets_[tcp] = {.what = What::kListener, .place = places_, .data = {}};
    return true;
  }

  int run(const OnDatagram& on_datagram, const OnStream& on_stream) {
    std::cout << "ready" << std::endl;
    for (;;) {
      std::vector<pollfd> fds;
      for (const auto& [fd, socket] : sockets_) fds.push_back({fd, POLLIN, 0});
      ::poll(fds.data(), fds.size(), -1);
      for (const pollfd& p : fds) {
        if (p.revents == 0) continue;
        Socket& socket = sockets_[p.fd];
        if (socket.what == What::kUdp) {
          answer_datagrams(p.fd, socket.place, on_datagram);
        } else if (socket.what == What::kListener) {
          const int place = socket.place;
          const int connection = ::accept4(p.fd, nullptr, nullptr, SOCK_NONBLOCK);
          if (connection >= 0) sockets_[connection] = {.what = What::kConnection, .place = place, .data = {}};
        } else if (!answer_stream(p.fd, socket, on_stream)) {
          ::close(p.fd);
          sockets_.erase(p.fd);
        }
      }
    }
  }

 private:
  enum class What { kUdp, kListener, kConnection };
  struct Socket {
    What what = What::kUdp;
    int place = 0;
    std::string data;
  };

  static void answer_datagrams(int fd, int place, const OnDatagram& on_datagram) {
    char data[4096];
    Address from;
    for (ssize_t n; (n = ::recvfrom(fd, data, sizeof data, 0, from.get(), &from.size)) >= 0;) {
      const std::string answer = on_datagram(std::string(data, static_cast<std::size_t>(n)), place);
      if (!answer.empty()) ::sendto(fd, answer.data(), answer.size(), 0, from.get(), from.size);
      from.size = sizeof from.storage;
    }
  }

  static bool answer_stream(int fd, Socket& socket, const OnStream& on_stream) {
    char data[16384];
    const ssize_t n = ::recv(fd, data, sizeof data, 0);
    if (n <= 0) return n < 0 && errno == EAGAIN;
    socket.data.append(data, static_cast<std::size_t>(n));
    const std::string answer = on_stream(socket.data, socket.place);
    for (std::size_t sent = 0; sent < answer.size();) {
      const ssize_t m = ::send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (m > 0) {
        sent += static_cast<std::size_t>(m);
      } else if (errno != EAGAIN || !wait_for(fd, POLLOUT, now_ns() + 1'000'000'000)) {
        return false;
      }
    }
    return true;
  }

  std::map<int, Socket> sockets_;
  int places_ = 0;
};

}  // namespace

int serve_echo(const std::vector<std::string>& pairs) {
  Server server;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    if (!server.listen(address_of(pairs[i], std::stoi(pairs[i + 1])))) return 1;
  }
  return server.run([](const std::string& data, int) { return data; },
                    [](std::string& data, int) { return std::exchange(data, {}); });
}

int serve_names(const std::vector<std::string>& addresses) {
  Server server;
  for (const std::string& address : addresses) {
    if (!server.listen(address_of(address, 53))) return 1;
  }
  return server.run([](const std::string& query, int place) { return dns_true_answer(query, place, true); },
                    [](std::string& data, int place) {
                      std::string answers;
                      while (data.size() >= 2 && data.size() >= 2 + get16(data, 0)) {
                        const unsigned size = get16(data, 0);
                        const std::string answer = dns_true_answer(data.substr(2, size), place, false);
                        put16(answers, static_cast<unsigned>(answer.size()));
                        answers += answer;
                        data.erase(0, 2 + size);
                      }
                      return answers;
                    });
}

}  // namespace faultline::testing
