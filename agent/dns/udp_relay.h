// Queries over UDP: answers them, drops them, or has them answered by the true server, as the rules say. All
// but outstanding() belongs to the loop's thread. Bounded: 512 queries at once; more are dropped.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/dns/event_loop.h"
#include "agent/dns/rules.h"
#include "agent/dns/upstream.h"
#include "common/unique_fd.h"

namespace faultline {

class UdpRelay {
 public:
  UdpRelay(EventLoop& loop, DnsRules& rules, const DnsUpstream& upstream)
      : loop_(loop), rules_(rules), upstream_(upstream) {}

  // Takes a bound, non-blocking socket.
  Status serve(UniqueFd socket, DnsPlace place);
  // Queries that wait for this rule's delay go on at once.
  void release(int rule);
  // Held or not yet answered by their server. Any thread.
  std::size_t outstanding() const { return outstanding_; }

 private:
  struct Listener {
    UniqueFd socket;
    DnsPlace place;
  };
  struct Query {
    std::size_t listener = 0;
    SocketAddress client;
    std::string message;
    int rule = -1;  // that holds it back
    UniqueFd server;
    EventLoop::Timer timer;  // end of the delay, or of the patience with the server
  };

  void receive(std::size_t listener);
  void take(std::size_t listener, const SocketAddress& client, std::string_view message);
  void forward(std::uint64_t number);
  void relay_answer(std::uint64_t number);
  void answer(const Query& query, std::string_view message) const;
  // That the server cannot be reached: the target would have seen its own query refused.
  void give_up(std::uint64_t number);
  void forget(std::uint64_t number);

  EventLoop& loop_;
  DnsRules& rules_;
  const DnsUpstream& upstream_;
  std::vector<Listener> listeners_;
  std::map<std::uint64_t, Query> queries_;
  std::uint64_t next_ = 0;
  std::atomic<std::size_t> outstanding_ = 0;
  std::vector<char> buffer_ = std::vector<char>(kDnsMaxMessage + 1);
};

}  // namespace faultline
