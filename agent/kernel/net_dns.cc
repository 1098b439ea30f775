#include "agent/kernel/net_dns.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "agent/kernel/bpf_memory.h"
#include "net_dns.skel.h"

namespace faultline {
namespace {

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

StatusOr<std::uint64_t> cookie_of(const Netns& netns) {
  std::uint64_t cookie = 0;
  FL_RETURN_IF_ERROR(run_in_netns(netns, [&]() -> Status {
    const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    socklen_t size = sizeof cookie;
    if (!fd.valid() || ::getsockopt(fd.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) {
      return errno_status(errno, "read the cookie of a network namespace");
    }
    return ok_status();
  }));
  return cookie;
}

// Where the skeleton keeps each hook's program.
bpf_program* program_at(const net_dns& skeleton, CgroupHook hook) {
  switch (hook) {
    case CgroupHook::kConnect4:
      return skeleton.progs.fl_dns_connect4;
    case CgroupHook::kConnect6:
      return skeleton.progs.fl_dns_connect6;
    case CgroupHook::kSendmsg4:
      return skeleton.progs.fl_dns_sendmsg4;
    case CgroupHook::kSendmsg6:
      return skeleton.progs.fl_dns_sendmsg6;
    case CgroupHook::kRecvmsg4:
      return skeleton.progs.fl_dns_recvmsg4;
    case CgroupHook::kRecvmsg6:
      return skeleton.progs.fl_dns_recvmsg6;
    case CgroupHook::kGetpeername4:
      return skeleton.progs.fl_dns_getpeername4;
    case CgroupHook::kGetpeername6:
      return skeleton.progs.fl_dns_getpeername6;
    default:
      return nullptr;
  }
}

}  // namespace

Status probe_dns_support() {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (!fd.valid()) return errno_status(errno, "open a socket");
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) {
    return make_error(StatusCode::kUnimplemented, "the kernel tells no namespace cookies (5.14 does)");
  }
  net_dns* skeleton = net_dns__open_and_load();
  if (!skeleton) {
    const int error = errno;
    const Status status = errno_status(error, "load BPF program net_dns");
    return error == EPERM ? status : Status(StatusCode::kUnimplemented, status.message());
  }
  net_dns__destroy(skeleton);
  return ok_status();
}

StatusOr<std::unique_ptr<NetDns>> NetDns::make(int cgroup_fd, const Netns& netns, const PortOf& port_of) {
  FL_ASSIGN_OR_RETURN(const std::uint64_t cookie, cookie_of(netns));
  std::unique_ptr<NetDns> redirect(new NetDns);
  redirect->skeleton_ = net_dns__open();
  if (!redirect->skeleton_) return errno_status(errno, "open BPF program net_dns");
  redirect->skeleton_->rodata->netns_cookie = cookie;
  for (const fl_dns_family family : {FL_DNS_IPV4, FL_DNS_IPV6}) {
    fl_dns_ports& ports = redirect->skeleton_->rodata->ports[family];
    for (int i = 0; i < FL_DNS_SERVERS; ++i) {
      ports.udp[i] = htons(port_of(family, i).udp);
      ports.tcp[i] = htons(port_of(family, i).tcp);
    }
  }
  if (int e = net_dns__load(redirect->skeleton_); e != 0) return errno_status(-e, "load BPF program net_dns");
  FL_RETURN_IF_ERROR(redirect->attach(cgroup_fd));
  return redirect;
}

Status NetDns::attach(int cgroup_fd) {
  for (const CgroupHook hook : kDnsHooks) {
    bpf_program* const program = program_at(*skeleton_, hook);
    bpf_link* const link = bpf_program__attach_cgroup(program, cgroup_fd);
    if (!link)
      return errno_status(errno, fmt::format("attach net_dns to the cgroup's hook {}", name_of(hook)));
    links_.push_back(link);
    bpf_prog_info info{};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0) {
      return errno_status(errno, "read BPF program net_dns");
    }
    programs_.push_back({.hook = hook, .id = info.id});
  }
  return ok_status();
}

NetDns::~NetDns() {
  for (bpf_link* link : links_) bpf_link__destroy(link);
  net_dns__destroy(skeleton_);
}

StatusOr<int> NetDns::add(const fl_schedule& schedule) {
  const auto free = std::find(std::begin(used_), std::end(used_), false);
  if (free == std::end(used_)) {
    return make_error(StatusCode::kResourceExhausted, "at most {} DNS faults on one target", FL_DNS_FAULTS);
  }
  *free = true;
  const auto place = static_cast<int>(free - std::begin(used_));
  fl_schedule& to = skeleton_->bss->schedules[place];
  bpf_store(to.start_ns, schedule.start_ns);
  bpf_store(to.on_ns, schedule.on_ns);
  bpf_store(to.period_ns, schedule.period_ns);
  bpf_store(to.deadline_ns, schedule.deadline_ns);  // last: until then it is not in force
  return place;
}

void NetDns::set_deadline(int place, MonoTime deadline) {
  bpf_store(skeleton_->bss->schedules[place].deadline_ns, static_cast<__u64>(ktime_ns(deadline)));
}

void NetDns::remove(int place) {
  bpf_store(skeleton_->bss->schedules[place].deadline_ns, __u64{0});
  used_[place] = false;
}

std::optional<sockaddr_storage> NetDns::server(fl_dns_family family, int server) const {
  fl_dns_server& known = skeleton_->bss->servers[family][server];
  if (bpf_load(known.state) != FL_DNS_SERVER_KNOWN) return std::nullopt;
  sockaddr_storage address{};
  if (family == FL_DNS_IPV4) {
    auto* in = reinterpret_cast<sockaddr_in*>(&address);
    in->sin_family = AF_INET;
    in->sin_port = htons(53);
    in->sin_addr.s_addr = known.addr[0];
  } else {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(53);
    std::copy(std::begin(known.addr), std::end(known.addr), in6->sin6_addr.s6_addr32);
  }
  return address;
}

std::uint64_t NetDns::left_alone() const {
  return bpf_load(skeleton_->bss->left_alone);
}

}  // namespace faultline
