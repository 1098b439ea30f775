// A small network for kernel tests: a "target" namespace with two processes in cgroups of their own (the
// target and its neighbour), and a "peer" namespace with an echo server and a name server behind two
// addresses of each family, joined by a veth pair. Built with the ip tool, an independent witness; everything
// is gone after the destructor. Needs root and cgroup v2.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace faultline::testing {

inline constexpr const char* kPeer = "10.99.0.2";
inline constexpr const char* kOtherPeer = "10.99.0.3";
inline constexpr const char* kPeer6 = "fd99::2";
inline constexpr const char* kOtherPeer6 = "fd99::3";
// The address of any name that the name server behind kPeer gives.
inline constexpr const char* kTrueAddress = "192.0.2.1";
inline constexpr int kPort = 7000;
inline constexpr int kOtherPort = 7001;

// A child process that answers lines with lines; killed by the destructor.
class LabProcess {
 public:
  LabProcess(const std::string& netns, const std::vector<std::string>& args);
  ~LabProcess();
  LabProcess(const LabProcess&) = delete;
  LabProcess& operator=(const LabProcess&) = delete;

  std::string ask(const std::string& line);
  // ask() in two steps: what is told may take until something else is told.
  void tell(const std::string& line);
  std::string hear();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  std::FILE* in_ = nullptr;
  std::FILE* out_ = nullptr;
};

struct UdpResult {
  std::size_t sent = 0;
  std::size_t refused = 0;            // send() failed: the sender noticed
  std::size_t received = 0;           // echoes, copies included
  std::vector<double> rtt_ms;         // of the echoes that came, in the order of sending
  std::vector<bool> answered;         // per datagram
  std::vector<std::int64_t> sent_ns;  // per datagram, CLOCK_MONOTONIC

  double median_ms() const;
  double loss() const { return 1.0 - static_cast<double>(rtt_ms.size()) / static_cast<double>(sent); }
};

// What a name server said; rcode -1: nothing.
struct DnsResult {
  double ms = -1;
  std::string source;  // "10.99.0.2#53": where the answer says that it came from
  int rcode = -1;
  int answers = 0;
  bool truncated = false;
  bool edns = false;
  std::string first;  // address, "-" without one
};

// A TCP stream that an echo server sent back.
struct StreamResult {
  std::size_t sent = 0, back = 0;  // bytes
  std::size_t wrong = 0;           // bytes that came back as others
  std::size_t retransmits = 0;     // segments that the sender sent again
  double seconds = 0;              // from the connection to the last byte
};

class NetLab {
 public:
  NetLab();
  ~NetLab();
  NetLab(const NetLab&) = delete;
  NetLab& operator=(const NetLab&) = delete;

  LabProcess& target() { return *target_; }
  LabProcess& neighbour() { return *neighbour_; }
  // The echo server.
  LabProcess& echo() { return *echo_; }
  // References for the agent.
  std::string target_ref() const { return "cgroup:" + target_cgroup_; }

  // `from` sends `count` datagrams, one every `interval_us`, and waits `wait_ms` for the last echoes.
  static UdpResult udp(LabProcess& from, const std::string& to, int port, int count, int interval_us = 2000,
                       int wait_ms = 500);
  // The same for as long as it shall last; `from` does nothing else meanwhile.
  static void start_probes(LabProcess& from, const std::string& to, int port, int interval_us, int wait_ms);
  static UdpResult end_probes(LabProcess& from);
  static double tcp_connect_ms(LabProcess& from, const std::string& to, int port, int wait_ms = 3000);

  // What connect() says in the end, 0 for a connection, -1 for nothing within `wait_ms`; `protocol`: tcp,
  // udp.
  static int connect_errno(LabProcess& from, const std::string& protocol, const std::string& to, int port,
                           int wait_ms = 1000);
  // What sendto() says from a socket that is not connected.
  static int sendto_errno(LabProcess& from, const std::string& to, int port);

  static StreamResult stream(LabProcess& from, const std::string& to, int port, std::size_t bytes);
  // The same for as long as it shall last; `from` does nothing else meanwhile.
  static void start_stream(LabProcess& from, const std::string& to, int port);
  static StreamResult end_stream(LabProcess& from);

  // A lasting connection, by its number within `from`; -1: none.
  static int open(LabProcess& from, const std::string& to, int port, int local_port = 0);

  // Asks `server` for the addresses of `name`; `how`: "udp" (connected), "sendto" or "tcp".
  static DnsResult dns(LabProcess& from, const std::string& server, const std::string& name,
                       const std::string& how = "udp", int type = 1, int wait_ms = 2000);

  // What tc and ip show of the target's namespace: the witness for trees and their absence. The second one:
  // of any.
  std::string network_state() const { return network_state(target_ns_); }
  static std::string network_state(const std::string& netns);
  // What holds the trees of the target's device, by the name that they are to have.
  std::string detour_device() const;
  const std::string& netns() const { return target_ns_; }
  const std::string& peer_netns() const { return peer_ns_; }
  // Where the target's cgroup is mounted.
  std::string cgroup_path() const { return cgroup_root_ + target_cgroup_; }

 private:
  std::string target_ns_, peer_ns_, target_cgroup_, neighbour_cgroup_, cgroup_root_;
  LabProcess *target_ = nullptr, *neighbour_ = nullptr, *echo_ = nullptr, *names_ = nullptr;
};

// One lab for all tests of a binary: building it is slow under emulation. Every test must leave it as it
// found it.
NetLab& shared_net_lab();

// Runs a command of the test's own, made of literals only, and returns its output; aborts the test when it
// fails.
std::string shell(const std::string& command);

}  // namespace faultline::testing
