// The DNS redirect of one cgroup in one network namespace: while any of its schedules is in force, what the
// cgroup's processes there send to port 53 goes to a responder on the loopback address, and seems to them to
// come back from where they sent it. Owns the loaded programs and their links; auto: destroying it, or the
// process's death, ends all its effect. Minimum kernel: 5.14, cgroup v2.
//
// Limits: sockets that are bound to a device, link-local servers, and servers beyond eight of each family are
// left alone. A socket keeps the peer that it was connected to: one connected before a fault goes past it,
// one connected during it ends with the responder.
//
// Threads: one at a time for add and remove; the others any.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/kernel/cgroup_programs.h"
#include "agent/kernel/netns.h"
#include "bpf/abi/net_dns.h"
#include "common/clock.h"
#include "common/status.h"

struct net_dns;
struct bpf_link;

namespace faultline {

// The hooks that its programs are attached to.
inline constexpr std::initializer_list<CgroupHook> kDnsHooks = {
    CgroupHook::kConnect4, CgroupHook::kConnect6, CgroupHook::kSendmsg4,     CgroupHook::kSendmsg6,
    CgroupHook::kRecvmsg4, CgroupHook::kRecvmsg6, CgroupHook::kGetpeername4, CgroupHook::kGetpeername6,
};

// Loads the programs, and lets them go. Unimplemented, with the reason, where the kernel will not have them;
// PermissionDenied when this process may not.
Status probe_dns_support();

class NetDns {
 public:
  // The responder's ports for each family and server: host byte order, 0 for none. The descriptor is only
  // used here.
  struct Ports {
    std::uint16_t udp = 0;
    std::uint16_t tcp = 0;
  };
  using PortOf = std::function<Ports(fl_dns_family family, int server)>;

  // Loads the programs and attaches them, with nothing in force.
  static StatusOr<std::unique_ptr<NetDns>> make(int cgroup_fd, const Netns& netns, const PortOf& port_of);
  ~NetDns();

  // Redirects as the schedule says from the return on. ResourceExhausted beyond FL_DNS_FAULTS. The result
  // names the schedule in the calls below.
  StatusOr<int> add(const fl_schedule& schedule);
  void set_deadline(int place, MonoTime deadline);
  void remove(int place);

  // The server that got this number, and its port 53; nullopt: none has.
  std::optional<sockaddr_storage> server(fl_dns_family family, int server) const;
  // Queries that should have been redirected and could not.
  std::uint64_t left_alone() const;
  const std::vector<CgroupProgram>& programs() const { return programs_; }

 private:
  NetDns() = default;
  Status attach(int cgroup_fd);

  net_dns* skeleton_ = nullptr;
  std::vector<bpf_link*> links_;
  std::vector<CgroupProgram> programs_;
  bool used_[FL_DNS_FAULTS] = {};
};

}  // namespace faultline
