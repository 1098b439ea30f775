#include "agent/dns/tcp_relay.h"

#include <sys/epoll.h>

#include <cerrno>
#include <optional>

namespace faultline {
namespace {

constexpr std::size_t kMaxConnections = 128;
constexpr std::size_t kMaxHeld = 64;
constexpr std::size_t kRoom = 2 * (2 + kDnsMaxMessage);  // for what waits to be written, before reading stops
constexpr Nanos kPause = std::chrono::milliseconds(50);
constexpr Nanos kMaxIdle = std::chrono::seconds(60);

void append_frame(std::string& to, std::string_view message) {
  to.push_back(static_cast<char>(message.size() >> 8));
  to.push_back(static_cast<char>(message.size()));
  to += message;
}

std::optional<std::string> next_message(std::string& in) {
  if (in.size() < 2) return std::nullopt;
  const std::size_t size =
      static_cast<std::size_t>(static_cast<unsigned char>(in[0])) << 8 | static_cast<unsigned char>(in[1]);
  if (in.size() < 2 + size) return std::nullopt;
  std::string message = in.substr(2, size);
  in.erase(0, 2 + size);
  return message;
}

bool would_wait() {
  return errno == EAGAIN || errno == EINTR || errno == EINPROGRESS || errno == ENOTCONN;
}

// false: the connection is broken.
bool read_into(int fd, std::string& in, bool& ended) {
  char data[16384];
  const ssize_t size = ::recv(fd, data, sizeof data, 0);
  if (size > 0) in.append(data, static_cast<std::size_t>(size));
  if (size == 0) ended = true;
  return size >= 0 || would_wait();
}

bool write_from(int fd, std::string& out) {
  while (!out.empty()) {
    const ssize_t size = ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (size < 0) return would_wait();
    out.erase(0, static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace

Status TcpRelay::serve(UniqueFd socket, DnsPlace place) {
  const std::size_t index = listeners_.size();
  listeners_.push_back({.socket = std::move(socket), .place = place});
  return loop_.watch(listeners_.back().socket.get(), EPOLLIN,
                     [this, index](std::uint32_t) { accept(index); });
}

void TcpRelay::accept(std::size_t listener) {
  UniqueFd client(
      ::accept4(listeners_[listener].socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!client.valid()) {  // perhaps out of descriptors: the one that waits would be told without pause
    const int fd = listeners_[listener].socket.get();
    loop_.change(fd, 0);
    loop_.at(mono_now() + kPause, [this, fd] { loop_.change(fd, EPOLLIN); });
    return;
  }
  if (connections_.size() >= kMaxConnections) return;
  const std::uint64_t number = next_++;
  Connection& connection = connections_[number];
  connection.place = listeners_[listener].place;
  connection.client = std::move(client);
  connection.idle = loop_.at(mono_now() + kMaxIdle, [this, number] { close(number); });
  const Status watched = loop_.watch(connection.client.get(), EPOLLIN,
                                     [this, number](std::uint32_t events) { on_client(number, events); });
  if (!watched.ok()) close(number);
}

void TcpRelay::on_client(std::uint64_t number, std::uint32_t events) {
  Connection& connection = connections_.at(number);
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    Stream& stream = connection.client_side;
    if (!read_into(connection.client.get(), stream.in, stream.ended)) return close(number);
    while (auto message = next_message(stream.in)) take(connection, number, std::move(*message));
  }
  settle(number);
}

void TcpRelay::take(Connection& connection, std::uint64_t number, std::string message) {
  DnsVerdict verdict = rules_.decide(message, mono_now());
  // Held only as long as there is room; the true answer early is better than none.
  if (verdict.what == DnsVerdict::kHold && connection.held.size() >= kMaxHeld)
    verdict.what = DnsVerdict::kForward;
  switch (verdict.what) {
    case DnsVerdict::kDrop:
      return;
    case DnsVerdict::kAnswer:
      return append_frame(connection.client_side.out, verdict.answer);
    case DnsVerdict::kForward:
      return forward(connection, number, message);
    case DnsVerdict::kHold:
      break;
  }
  const std::uint64_t name = next_++;
  const auto timer = loop_.at(mono_now() + verdict.hold, [this, number, name] {
    Connection& owner = connections_.at(number);
    const auto held = owner.held.extract(name);
    forward(owner, number, held.mapped().message);
    settle(number);
  });
  connection.held.emplace(name, Held{.message = std::move(message), .rule = verdict.rule, .timer = timer});
}

void TcpRelay::release(int rule) {
  std::vector<std::uint64_t> concerned;
  for (auto& [number, connection] : connections_) {
    for (auto held = connection.held.begin(); held != connection.held.end();) {
      if (held->second.rule != rule) {
        ++held;
        continue;
      }
      loop_.cancel(held->second.timer);
      forward(connection, number, held->second.message);
      held = connection.held.erase(held);
      concerned.push_back(number);
    }
  }
  for (const std::uint64_t number : concerned) {
    if (connections_.contains(number)) settle(number);
  }
}

void TcpRelay::forward(Connection& connection, std::uint64_t number, std::string_view message) {
  if (!connection.server.valid() && !open_server(connection, number)) return fail_server(connection, message);
  append_frame(connection.server_side.out, message);
  ++connection.unanswered;
}

bool TcpRelay::open_server(Connection& connection, std::uint64_t number) {
  const auto to = upstream_(connection.place);
  if (!to) return false;
  UniqueFd server(::socket(to->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!server.valid()) return false;
  if (::connect(server.get(), to->get(), to->size) != 0 && errno != EINPROGRESS) return false;
  const Status watched = loop_.watch(server.get(), EPOLLIN | EPOLLOUT,
                                     [this, number](std::uint32_t events) { on_server(number, events); });
  if (!watched.ok()) return false;
  connection.server = std::move(server);
  connection.server_side = {};
  return true;
}

void TcpRelay::fail_server(Connection& connection, std::string_view message) {
  if (const auto question = read_question(message)) {
    append_frame(connection.client_side.out, empty_answer(message, *question, kDnsServfail));
  }
}

void TcpRelay::on_server(std::uint64_t number, std::uint32_t events) {
  Connection& connection = connections_.at(number);
  Stream& stream = connection.server_side;
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    // As the target would have seen it: its connection breaks.
    if (!read_into(connection.server.get(), stream.in, stream.ended)) return close(number);
    while (const auto message = next_message(stream.in)) {
      append_frame(connection.client_side.out, *message);
      if (connection.unanswered > 0) --connection.unanswered;
    }
  }
  settle(number);
}

void TcpRelay::settle(std::uint64_t number) {
  Connection& connection = connections_.at(number);
  Stream& client = connection.client_side;
  Stream& server = connection.server_side;
  if (server.ended && !connection.held.empty()) {  // what is held will need another one
    loop_.forget(connection.server.get());
    connection.server.reset();
    connection.unanswered = 0;
    server = {};
  }
  const bool has_server = connection.server.valid();
  if (!write_from(connection.client.get(), client.out)) return close(number);
  if (has_server && !write_from(connection.server.get(), server.out)) return close(number);
  const bool nothing_to_come = connection.held.empty() && connection.unanswered == 0;
  const bool over = (client.ended && nothing_to_come) || (has_server && server.ended);
  if (over && client.out.empty()) return close(number);
  const bool room = client.out.size() < kRoom && server.out.size() < kRoom;
  // Not EPOLLIN after its end: it would be told without pause.
  loop_.change(connection.client.get(),
               (room && !client.ended ? EPOLLIN : 0u) | (client.out.empty() ? 0u : EPOLLOUT));
  if (has_server) {
    loop_.change(connection.server.get(), (client.out.size() < kRoom && !server.ended ? EPOLLIN : 0u) |
                                              (server.out.empty() ? 0u : EPOLLOUT));
  }
  loop_.cancel(connection.idle);
  connection.idle = loop_.at(mono_now() + kMaxIdle, [this, number] { close(number); });
  count();
}

void TcpRelay::close(std::uint64_t number) {
  const auto found = connections_.find(number);
  Connection& connection = found->second;
  loop_.cancel(connection.idle);
  for (const auto& [name, held] : connection.held) loop_.cancel(held.timer);
  loop_.forget(connection.client.get());
  if (connection.server.valid()) loop_.forget(connection.server.get());
  connections_.erase(found);
  count();
}

void TcpRelay::count() {
  std::size_t sum = 0;
  for (const auto& [number, connection] : connections_) sum += connection.held.size() + connection.unanswered;
  outstanding_ = sum;
}

}  // namespace faultline
