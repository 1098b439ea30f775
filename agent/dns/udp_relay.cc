#include "agent/dns/udp_relay.h"

#include <sys/epoll.h>

#include <cerrno>

namespace faultline {
namespace {

constexpr std::size_t kMaxQueries = 512;
constexpr int kDatagramsAtOnce = 64;  // then the others' turn
constexpr Nanos kPatience = std::chrono::seconds(10);

}  // namespace

Status UdpRelay::serve(UniqueFd socket, DnsPlace place) {
  const std::size_t index = listeners_.size();
  listeners_.push_back({.socket = std::move(socket), .place = place});
  return loop_.watch(listeners_.back().socket.get(), EPOLLIN,
                     [this, index](std::uint32_t) { receive(index); });
}

void UdpRelay::receive(std::size_t listener) {
  const int fd = listeners_[listener].socket.get();
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    SocketAddress client;
    const ssize_t size =
        ::recvfrom(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT, client.get(), &client.size);
    if (size < 0) return;
    take(listener, client, {buffer_.data(), static_cast<std::size_t>(size)});
  }
}

void UdpRelay::take(std::size_t listener, const SocketAddress& client, std::string_view message) {
  const DnsVerdict verdict = rules_.decide(message, mono_now());
  if (verdict.what == DnsVerdict::kDrop) return;
  if (verdict.what == DnsVerdict::kAnswer) {
    (void)::sendto(listeners_[listener].socket.get(), verdict.answer.data(), verdict.answer.size(), 0,
                   client.get(), client.size);
    return;
  }
  if (queries_.size() >= kMaxQueries) return;
  const std::uint64_t number = next_++;
  Query& query = queries_[number];
  outstanding_ = queries_.size();
  query.listener = listener;
  query.client = client;
  query.message = message;
  if (verdict.what == DnsVerdict::kForward) return forward(number);
  query.rule = verdict.rule;
  query.timer = loop_.at(mono_now() + verdict.hold, [this, number] { forward(number); });
}

void UdpRelay::release(int rule) {
  std::vector<std::uint64_t> held;
  for (const auto& [number, query] : queries_) {
    if (query.rule == rule) held.push_back(number);
  }
  for (const std::uint64_t number : held) forward(number);
}

void UdpRelay::forward(std::uint64_t number) {
  Query& query = queries_.at(number);
  loop_.cancel(query.timer);
  query.rule = -1;
  const auto to = upstream_(listeners_[query.listener].place);
  if (!to) return forget(number);
  // A socket a query: the kernel chooses an unpredictable port, and keeps out answers from elsewhere.
  query.server.reset(::socket(to->family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const bool sent = query.server.valid() && ::connect(query.server.get(), to->get(), to->size) == 0 &&
                    ::send(query.server.get(), query.message.data(), query.message.size(), 0) >= 0;
  if (!sent) return give_up(number);
  query.timer = loop_.at(mono_now() + kPatience, [this, number] { forget(number); });
  const Status watched =
      loop_.watch(query.server.get(), EPOLLIN, [this, number](std::uint32_t) { relay_answer(number); });
  if (!watched.ok()) give_up(number);
}

void UdpRelay::relay_answer(std::uint64_t number) {
  const Query& query = queries_.at(number);
  const ssize_t size = ::recv(query.server.get(), buffer_.data(), buffer_.size(), 0);
  if (size < 0) {
    if (errno != EAGAIN && errno != EINTR) give_up(number);
    return;
  }
  const std::string_view message(buffer_.data(), static_cast<std::size_t>(size));
  if (message.substr(0, 2) != std::string_view(query.message).substr(0, 2)) return;  // to another question
  answer(query, message);
  forget(number);
}

void UdpRelay::answer(const Query& query, std::string_view message) const {
  (void)::sendto(listeners_[query.listener].socket.get(), message.data(), message.size(), 0,
                 query.client.get(), query.client.size);
}

void UdpRelay::give_up(std::uint64_t number) {
  const Query& query = queries_.at(number);
  if (const auto question = read_question(query.message)) {
    answer(query, empty_answer(query.message, *question, kDnsServfail));
  }
  forget(number);
}

void UdpRelay::forget(std::uint64_t number) {
  const auto found = queries_.find(number);
  loop_.cancel(found->second.timer);
  if (found->second.server.valid()) loop_.forget(found->second.server.get());
  queries_.erase(found);
  outstanding_ = queries_.size();
}

}  // namespace faultline
