// Queries over TCP (RFC 7766: each message after its length, any number on a connection): like UdpRelay,
// message by message, with a connection of its own to the true server for each one of a client. All but
// outstanding() belongs to the loop's thread. Bounded: 128 connections (more are closed), 64 held queries and
// some messages of room on each.
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

class TcpRelay {
 public:
  TcpRelay(EventLoop& loop, DnsRules& rules, const DnsUpstream& upstream)
      : loop_(loop), rules_(rules), upstream_(upstream) {}

  // Takes a listening, non-blocking socket.
  Status serve(UniqueFd socket, DnsPlace place);
  void release(int rule);
  // Queries not yet answered by their server, held ones included. Any thread.
  std::size_t outstanding() const { return outstanding_; }

 private:
  // One way of a connection.
  struct Stream {
    std::string in;   // read, not yet a whole message
    std::string out;  // not yet written
    bool ended = false;
  };
  struct Held {
    std::string message;
    int rule = -1;
    EventLoop::Timer timer;
  };
  struct Connection {
    DnsPlace place;
    UniqueFd client, server;
    Stream client_side, server_side;
    std::map<std::uint64_t, Held> held;
    std::size_t unanswered = 0;
    EventLoop::Timer idle;
  };

  void accept(std::size_t listener);
  void on_client(std::uint64_t number, std::uint32_t events);
  void on_server(std::uint64_t number, std::uint32_t events);
  void take(Connection& connection, std::uint64_t number, std::string message);
  void forward(Connection& connection, std::uint64_t number, std::string_view message);
  bool open_server(Connection& connection, std::uint64_t number);
  void fail_server(Connection& connection, std::string_view message);
  // Writes what can be written, waits for what is to come; ends a connection that has nothing left to do.
  void settle(std::uint64_t number);
  void close(std::uint64_t number);
  void count();

  EventLoop& loop_;
  DnsRules& rules_;
  const DnsUpstream& upstream_;
  struct Listener {
    UniqueFd socket;
    DnsPlace place;
  };
  std::vector<Listener> listeners_;
  std::map<std::uint64_t, Connection> connections_;
  std::uint64_t next_ = 0;
  std::atomic<std::size_t> outstanding_ = 0;
};

}  // namespace faultline
