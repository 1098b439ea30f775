#include "tests/support/veth_lab.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "tests/support/net_lab.h"

namespace faultline::testing {
namespace {

constexpr std::uint16_t kLabPort = 7000;

struct Stamped {
  std::uint64_t number;
  std::int64_t sent_ns;
};

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

std::int64_t to_ns(const timespec& t) {
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

std::int64_t wall_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return to_ns(t);
}

sockaddr_in address(const char* text) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(kLabPort);
  ::inet_pton(AF_INET, text, &a.sin_addr);
  return a;
}

template <typename T>
void set(int fd, int option, T value) {
  must(::setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) == 0, "setsockopt");
}

UniqueFd far_receiver(const Netns& far, int type) {
  UniqueFd fd = socket_in(far, type);
  const sockaddr_in own = address(kFarAddress);
  set(fd.get(), SO_RCVBUFFORCE, 32 << 20);
  set(fd.get(), SO_REUSEADDR, 1);
  set(fd.get(), SO_TIMESTAMPNS, 1);
  must(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0, "bind");
  return fd;
}

bool receive(int fd, int wait_ms, Arrival& arrival) {
  pollfd p{fd, POLLIN, 0};
  if (::poll(&p, 1, wait_ms) != 1) return false;
  unsigned char data[65536];
  char control[256];
  iovec part{data, sizeof data};
  msghdr msg{};
  msg.msg_iov = &part;
  msg.msg_iovlen = 1;
  msg.msg_control = control;
  msg.msg_controllen = sizeof control;
  const ssize_t n = ::recvmsg(fd, &msg, 0);
  Stamped stamped{};
  if (n < static_cast<ssize_t>(sizeof stamped)) return false;
  std::memcpy(&stamped, data, sizeof stamped);
  timespec at{};
  for (cmsghdr* c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
    if (c->cmsg_type == SCM_TIMESTAMPNS) std::memcpy(&at, CMSG_DATA(c), sizeof at);
  }
  arrival = {.number = stamped.number,
             .delay_ms = static_cast<double>(to_ns(at) - stamped.sent_ns) / 1e6,
             .at_s = static_cast<double>(to_ns(at)) / 1e9,
             .payload = {data + sizeof stamped, data + n}};
  return true;
}

Device device_of(const Netns& netns, const char* name) {
  Device device{.ifindex = 0, .name = name};
  const Status found = run_in_netns(netns, [&] {
    device.ifindex = static_cast<int>(::if_nametoindex(name));
    return ok_status();
  });
  must(found.ok() && device.ifindex > 0, "if_nametoindex");
  return device;
}

}  // namespace

Netns open_netns_of(const std::string& name) {
  UniqueFd fd(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st {};
  must(::fstat(fd.get(), &st) == 0, "open a network namespace");
  return {std::move(fd), static_cast<std::uint32_t>(st.st_ino)};
}

UniqueFd socket_in(const Netns& netns, int type) {
  UniqueFd fd;
  const Status made = run_in_netns(netns, [&] {
    fd.reset(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    return ok_status();
  });
  must(made.ok() && fd.valid(), "socket");
  return fd;
}

VethLab::VethLab() {
  const std::string tag = std::to_string(::getpid());
  near_name_ = "fl-veth-n" + tag;
  far_name_ = "fl-veth-f" + tag;
  shell("ip netns add " + near_name_ + " && ip netns add " + far_name_ + " && ip link add name eth0 netns " +
        near_name_ + " type veth peer name eth0 netns " + far_name_);
  for (const auto& [name, own] : {std::pair(near_name_, kNearAddress), std::pair(far_name_, kFarAddress)}) {
    shell("ip -n " + name + " addr add " + own + "/24 dev eth0 && ip -n " + name +
          " link set eth0 up && ip -n " + name + " link set lo up");
  }
  near_ = open_netns_of(near_name_);
  far_ = open_netns_of(far_name_);
  near_device_ = device_of(near_, "eth0");
  far_device_ = device_of(far_, "eth0");
  near_socket_ = std::make_unique<NetlinkSocket>(NetlinkSocket::open(near_).value());
  datagrams(0, 3, 1000, 100, 1000);  // ARP is done before anything is measured
}

VethLab::~VethLab() {
  shell("ip netns del " + near_name_ + "; ip netns del " + far_name_);
}

std::vector<Arrival> VethLab::datagrams(std::uint32_t priority, int count, int interval_us, int size,
                                        int wait_ms, int copies) {
  const UniqueFd receiver = far_receiver(far_, SOCK_DGRAM);
  const UniqueFd sender = socket_in(near_, SOCK_DGRAM);
  const sockaddr_in to = address(kFarAddress);
  set(sender.get(), SO_PRIORITY, priority);
  set(sender.get(), SO_NO_CHECK, 1);  // so that a corrupted datagram arrives
  if (interval_us > 0) set(sender.get(), SO_SNDBUFFORCE, 32 << 20);
  must(::connect(sender.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "connect");

  const std::int64_t start = wall_ns();
  std::vector<unsigned char> data(static_cast<std::size_t>(size), 0);
  for (int i = 0; i < count; ++i) {
    const std::int64_t due = start + std::int64_t{i} * interval_us * 1000;
    while (wall_ns() < due) ::usleep(50);
    const Stamped stamped{static_cast<std::uint64_t>(i), wall_ns()};
    std::memcpy(data.data(), &stamped, sizeof stamped);
    must(::send(sender.get(), data.data(), data.size(), 0) == size, "send");
  }
  std::vector<Arrival> arrivals;
  const auto all = static_cast<std::size_t>(count) * static_cast<std::size_t>(copies);
  for (Arrival arrival; arrivals.size() < all && receive(receiver.get(), wait_ms, arrival);) {
    arrivals.push_back(arrival);
  }
  return arrivals;
}

double VethLab::stream_rate(std::uint32_t priority, std::size_t bytes) {
  const UniqueFd listener = far_receiver(far_, SOCK_STREAM);
  const UniqueFd sender = socket_in(near_, SOCK_STREAM);
  const sockaddr_in to = address(kFarAddress);
  must(::listen(listener.get(), 1) == 0, "listen");
  set(sender.get(), SO_PRIORITY, priority);
  must(::connect(sender.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "connect");
  const UniqueFd receiver(::accept(listener.get(), nullptr, nullptr));
  std::thread sending([&] {
    const std::vector<char> data(65536);
    for (std::size_t left = bytes; left > 0;) {
      const ssize_t n = ::send(sender.get(), data.data(), std::min(left, data.size()), MSG_NOSIGNAL);
      if (n <= 0) break;
      left -= static_cast<std::size_t>(n);
    }
    ::shutdown(sender.get(), SHUT_WR);
  });
  const auto start = std::chrono::steady_clock::now();
  std::vector<char> data(65536);
  std::size_t got = 0;
  for (ssize_t n; (n = ::recv(receiver.get(), data.data(), data.size(), 0)) > 0;)
    got += static_cast<std::size_t>(n);
  sending.join();
  must(got == bytes, "the whole stream");
  return static_cast<double>(bytes) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string VethLab::tc(const std::string& what) const {
  return shell("tc -n " + near_name_ + " " + what + " dev eth0");
}

}  // namespace faultline::testing
