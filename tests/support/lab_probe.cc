#include "tests/support/lab_probe.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <sstream>
#include <vector>

#include "tests/support/lab_net.h"

namespace faultline::testing {
namespace {

struct Probe {
  std::int64_t sent_ns = 0;
  std::int64_t rtt_ns = -1;
};

struct Probes {
  std::vector<Probe> all;
  std::size_t refused = 0;
  std::size_t received = 0;
};

void send_one(int fd, Probes& probes) {
  const std::uint64_t number = probes.all.size();
  probes.all.push_back({.sent_ns = now_ns()});
  probes.refused += ::send(fd, &number, sizeof number, 0) != sizeof number;
}

void take_echoes(int fd, Probes& probes) {
  std::uint64_t number = 0;
  while (::recv(fd, &number, sizeof number, MSG_DONTWAIT) == sizeof number) {
    ++probes.received;
    if (number >= probes.all.size() || probes.all[number].rtt_ns >= 0) continue;
    probes.all[number].rtt_ns = now_ns() - probes.all[number].sent_ns;
  }
}

// Until `until_ns`, or until something is there to read on stdin as well, where that is asked for.
bool told_to_stop(int fd, bool listen, std::int64_t until_ns, Probes& probes) {
  for (std::int64_t left = until_ns - now_ns(); left > 0; left = until_ns - now_ns()) {
    std::array<pollfd, 2> p{{{fd, POLLIN, 0}, {listen ? 0 : -1, POLLIN, 0}}};
    const timespec wait{left / 1'000'000'000, left % 1'000'000'000};
    if (::ppoll(p.data(), p.size(), &wait, nullptr) <= 0) continue;
    if (p[0].revents) take_echoes(fd, probes);
    if (p[1].revents) return true;
  }
  return false;
}

}  // namespace

std::string probe(const std::string& to, int port, std::int64_t interval_us, std::int64_t wait_ms) {
  const Address address = address_of(to, port);
  const int fd = ::socket(address.storage.ss_family, SOCK_DGRAM, 0);
  const int room = 8 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  ::connect(fd, address.get(), address.size);
  Probes probes;
  std::int64_t next = now_ns();
  do {
    send_one(fd, probes);
    next = std::max(next + interval_us * 1000, now_ns());
  } while (!told_to_stop(fd, true, next, probes));
  std::string line;
  std::getline(std::cin, line);
  told_to_stop(fd, false, now_ns() + wait_ms * 1'000'000, probes);
  ::close(fd);
  std::ostringstream answer;
  answer << probes.all.size() << ' ' << probes.refused << ' ' << probes.received;
  for (const Probe& p : probes.all) answer << ' ' << p.sent_ns << ' ' << p.rtt_ns;
  return answer.str();
}

}  // namespace faultline::testing
