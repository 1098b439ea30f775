// A process of the network lab: lives in the cgroup that it is told, in the network namespace that it was
// started in.
//   lab_process echo ADDRESS PORT ...   see lab_servers.h
//   lab_process echo-in CGROUP_DIR ADDRESS PORT ...   the same, in this cgroup
//   lab_process names ADDRESS ...
//   lab_process client CGROUP_DIR  enters the cgroup, then obeys lines on stdin, one line on stdout each:
//     udp ADDRESS PORT COUNT INTERVAL_US WAIT_MS   sends COUNT numbered datagrams, waits for the echoes
//       -> "SENT REFUSED RECEIVED", then "SENT_NS RTT_NS" for each datagram (CLOCK_MONOTONIC; RTT -1: no
//       echo; REFUSED: how often send() failed)
//     probe ADDRESS PORT INTERVAL_US WAIT_MS   see lab_probe.h
//     tcp ADDRESS PORT WAIT_MS
//       -> "NS" until connected, -1 if not
//     connect PROTOCOL ADDRESS PORT WAIT_MS   tcp or udp -> the errno of connecting, 0 if connected, -1 if
//     nothing came of it in time
//     sendto ADDRESS PORT   -> the errno of sending one datagram from a socket that is not connected, 0 if
//     it was taken
//     ping ADDRESS WAIT_MS   -> 1 if an ICMP echo comes back, 0 if not
//     stream ADDRESS PORT BYTES   see lab_stream.h
//     open ADDRESS PORT LOCAL_PORT   connects, from LOCAL_PORT if that is not 0 -> a socket's number, -1 if
//     it fails
//     listen PORT            on any address -> a socket's number
//     accept NUMBER          -> the number of the connection that comes within 2 s, -1 if none
//     alive NUMBER WAIT_MS   sends a byte over the connection -> 1 if it comes back, 0 if not or broken
//     broken NUMBER WAIT_MS  -> 1 if the socket has an error or was hung up, or gets there in time; 0 if not
//     close NUMBER           -> 0
//     dns SERVER NAME TYPE HOW WAIT_MS   asks port 53 of SERVER; HOW: udp (connected), sendto, tcp
//       -> "NS SOURCE RCODE ..." as in dns_answer_text(), "-1" without an answer; SOURCE: where the answer
//       says that it came from, for connections the peer's name
#include <fcntl.h>
#include <sys/prctl.h>
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

#include "tests/support/lab_dns.h"
#include "tests/support/lab_net.h"
#include "tests/support/lab_probe.h"
#include "tests/support/lab_servers.h"
#include "tests/support/lab_stream.h"

namespace faultline::testing {
namespace {

struct Datagram {
  std::uint64_t number;
  std::int64_t sent_ns;
};

struct Echoes {
  std::vector<std::int64_t> rtts;  // -1: none yet
  std::size_t missing = 0;
  std::size_t received = 0;  // copies included
};

void take(int fd, Echoes& echoes) {
  Datagram d{};
  while (::recv(fd, &d, sizeof d, MSG_DONTWAIT) == sizeof d) {
    ++echoes.received;
    if (d.number < echoes.rtts.size() && echoes.rtts[d.number] < 0) {
      echoes.rtts[d.number] = now_ns() - d.sent_ns;
      --echoes.missing;
    }
  }
}

void receive(int fd, std::int64_t until_ns, Echoes& echoes) {
  while (echoes.missing > 0 && wait_for(fd, POLLIN, until_ns)) take(fd, echoes);
}

std::string udp(const std::string& to, int port, std::istringstream& words) {
  std::size_t count = 0;
  std::int64_t interval_us = 0, wait_ms = 0;
  words >> count >> interval_us >> wait_ms;
  const Address address = address_of(to, port);
  const int fd = ::socket(address.storage.ss_family, SOCK_DGRAM, 0);
  const int room = 8 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  ::connect(fd, address.get(), address.size);
  Echoes echoes{.rtts = std::vector<std::int64_t>(count, -1), .missing = count, .received = 0};
  std::vector<std::int64_t> sent_ns(count, 0);
  std::size_t refused = 0;
  const std::int64_t start = now_ns();
  for (std::size_t i = 0; i < count; ++i) {
    receive(fd, start + static_cast<std::int64_t>(i) * interval_us * 1000, echoes);
    while (now_ns() < start + static_cast<std::int64_t>(i) * interval_us * 1000) ::usleep(50);
    const Datagram d{i, now_ns()};
    sent_ns[i] = d.sent_ns;
    refused += ::send(fd, &d, sizeof d, 0) != sizeof d;
  }
  receive(fd, now_ns() + wait_ms * 1'000'000, echoes);
  ::usleep(20'000);  // copies come last
  take(fd, echoes);
  ::close(fd);
  std::ostringstream answer;
  answer << count << ' ' << refused << ' ' << echoes.received;
  for (std::size_t i = 0; i < count; ++i) answer << ' ' << sent_ns[i] << ' ' << echoes.rtts[i];
  return answer.str();
}

// A connected TCP socket, -1 if it could not be had in time.
int connected(const Address& address, int local_port, std::int64_t until_ns) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (local_port != 0) {
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const Address own = address_of(address.storage.ss_family == AF_INET ? "0.0.0.0" : "::", local_port);
    ::bind(fd, own.get(), own.size);
  }
  const int started = ::connect(fd, address.get(), address.size);
  int error = 0;
  socklen_t size = sizeof error;
  if ((started == 0 || errno == EINPROGRESS) && wait_for(fd, POLLOUT, until_ns) &&
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

std::string tcp(const std::string& to, int port, std::istringstream& words) {
  std::int64_t wait_ms = 0;
  words >> wait_ms;
  const std::int64_t start = now_ns();
  const int fd = connected(address_of(to, port), 0, start + wait_ms * 1'000'000);
  const std::int64_t took = now_ns() - start;
  if (fd >= 0) ::close(fd);
  return std::to_string(fd >= 0 ? took : -1);
}

std::string connect_error(const std::string& protocol, const std::string& to, std::istringstream& words) {
  int port = 0;
  std::int64_t wait_ms = 0;
  words >> port >> wait_ms;
  const Address address = address_of(to, port);
  const int kind = (protocol == "tcp" ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK;
  const int fd = ::socket(address.storage.ss_family, kind, 0);
  int error = ::connect(fd, address.get(), address.size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    socklen_t size = sizeof error;
    error = -1;
    if (wait_for(fd, POLLOUT, now_ns() + wait_ms * 1'000'000))
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  ::close(fd);
  return std::to_string(error);
}

std::string send_error(const std::string& to, int port) {
  const Address address = address_of(to, port);
  const int fd = ::socket(address.storage.ss_family, SOCK_DGRAM, 0);
  const int error = ::sendto(fd, "x", 1, 0, address.get(), address.size) == 1 ? 0 : errno;
  ::close(fd);
  return std::to_string(error);
}

bool ping(const std::string& to, std::int64_t wait_ms) {
  const Address address = address_of(to, 0);
  const bool v4 = address.storage.ss_family == AF_INET;
  const int fd = ::socket(address.storage.ss_family, SOCK_RAW, v4 ? +IPPROTO_ICMP : +IPPROTO_ICMPV6);
  ::connect(fd, address.get(), address.size);
  const unsigned char type = v4 ? 8 : 128, answer_type = v4 ? 0 : 129;
  // Type, code, checksum (of ICMPv6: the kernel's), identifier and number, both 0.
  const unsigned char echo[8] = {type, 0, static_cast<unsigned char>(v4 ? 0xff - type : 0), 0xff, 0, 0, 0, 0};
  bool answered = ::send(fd, echo, sizeof echo, 0) == sizeof echo;
  const std::int64_t until = now_ns() + wait_ms * 1'000'000;
  for (bool seen = false; answered && !seen;) {
    unsigned char data[256];
    answered = wait_for(fd, POLLIN, until);
    const ssize_t n = answered ? ::recv(fd, data, sizeof data, 0) : 0;
    const std::size_t header = v4 ? 20 : 0;
    seen = n > static_cast<ssize_t>(header) && data[header] == answer_type;
  }
  ::close(fd);
  return answered;
}

int listener(int port) {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const Address own = address_of("::", port);
  return ::bind(fd, own.get(), own.size) == 0 && ::listen(fd, 64) == 0 ? fd : -1;
}

bool alive(int fd, std::int64_t wait_ms) {
  char byte = 'x';
  if (::send(fd, &byte, 1, MSG_NOSIGNAL) != 1) return false;
  return wait_for(fd, POLLIN, now_ns() + wait_ms * 1'000'000) && ::recv(fd, &byte, 1, 0) == 1;
}

bool receive_message(int fd, bool framed, std::int64_t until_ns, std::string& answer, Address& from) {
  char data[16384];
  while (wait_for(fd, POLLIN, until_ns)) {
    from.size = sizeof from.storage;
    const ssize_t n = ::recvfrom(fd, data, sizeof data, 0, from.get(), &from.size);
    if (n <= 0) return false;
    answer.append(data, static_cast<std::size_t>(n));
    if (!framed) return true;
    if (answer.size() < 2 || answer.size() < 2 + get16(answer, 0)) continue;
    answer.erase(0, 2);
    return true;
  }
  return false;
}

std::string dns(const std::string& server, const std::string& name, std::istringstream& words) {
  unsigned type = 0;
  std::string how;
  std::int64_t wait_ms = 0;
  words >> type >> how >> wait_ms;
  const Address to = address_of(server, 53);
  const std::int64_t start = now_ns();
  const std::int64_t until = start + wait_ms * 1'000'000;
  int fd = -1;
  std::string query = dns_question(static_cast<unsigned>(start / 1000) & 0xffff, name, type);
  const std::string id = query.substr(0, 2);
  if (how == "tcp") {
    fd = connected(to, 0, until);
    std::string frame;
    put16(frame, static_cast<unsigned>(query.size()));
    query = frame + query;
  } else {
    fd = ::socket(to.storage.ss_family, SOCK_DGRAM, 0);
  }
  if (fd < 0) return "-1";
  std::string answer, text = "-1";
  Address from;
  if (how == "udp") ::connect(fd, to.get(), to.size);
  const bool sent = how == "sendto" ? ::sendto(fd, query.data(), query.size(), 0, to.get(), to.size) > 0
                                    : ::send(fd, query.data(), query.size(), MSG_NOSIGNAL) > 0;
  if (sent && receive_message(fd, how == "tcp", until, answer, from) && answer.substr(0, 2) == id) {
    if (how != "sendto") {
      from.size = sizeof from.storage;
      ::getpeername(fd, from.get(), &from.size);
    }
    text = std::to_string(now_ns() - start) + " " + text_of(from) + " " + dns_answer_text(answer);
  }
  ::close(fd);
  return text;
}

std::string obey(const std::string& line) {
  std::istringstream words(line);
  std::string verb, to, second;
  words >> verb >> to >> second;
  const auto number = [&] { return std::stoi(to); };
  if (verb == "udp") return udp(to, std::stoi(second), words);
  if (verb == "tcp") return tcp(to, std::stoi(second), words);
  if (verb == "dns") return dns(to, second, words);
  if (verb == "connect") return connect_error(to, second, words);
  if (verb == "sendto") return send_error(to, std::stoi(second));
  if (verb == "ping") return ping(to, std::stoi(second)) ? "1" : "0";
  if (verb == "probe") {
    std::int64_t interval_us = 0, wait_ms = 0;
    words >> interval_us >> wait_ms;
    return probe(to, std::stoi(second), interval_us, wait_ms);
  }
  if (verb == "stream") {
    std::size_t bytes = 0;
    words >> bytes;
    return stream(to, std::stoi(second), bytes);
  }
  if (verb == "open") {
    int local_port = 0;
    words >> local_port;
    return std::to_string(connected(address_of(to, std::stoi(second)), local_port, now_ns() + 3'000'000'000));
  }
  if (verb == "listen") return std::to_string(listener(number()));
  if (verb == "accept") {
    const bool there = wait_for(number(), POLLIN, now_ns() + 2'000'000'000);
    return std::to_string(there ? ::accept4(number(), nullptr, nullptr, SOCK_NONBLOCK) : -1);
  }
  if (verb == "alive") return alive(number(), std::stoi(second)) ? "1" : "0";
  if (verb == "broken") return wait_for(number(), 0, now_ns() + std::stoll(second) * 1'000'000) ? "1" : "0";
  if (verb == "close") return std::to_string(::close(number()));
  return "what?";
}

void enter(const std::string& cgroup) {
  std::ofstream(cgroup + "/cgroup.procs") << ::getpid() << std::flush;
}

int client(const std::string& cgroup) {
  enter(cgroup);
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << obey(line) << std::endl;
  return 0;
}

}  // namespace
}  // namespace faultline::testing

int main(int argc, char** argv) {
  using namespace faultline::testing;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() >= 2 && args[0] == "echo") return serve_echo({args.begin() + 1, args.end()});
  if (args.size() >= 3 && args[0] == "echo-in") {
    enter(args[1]);
    return serve_echo({args.begin() + 2, args.end()});
  }
  if (args.size() >= 2 && args[0] == "names") return serve_names({args.begin() + 1, args.end()});
  if (args.size() == 2 && args[0] == "client") return client(args[1]);
  return 2;
}
