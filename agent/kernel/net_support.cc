#include "agent/kernel/net_support.h"

#include <bpf/libbpf.h>
#include <sched.h>

#include <cerrno>
#include <thread>

#include "agent/kernel/netlink.h"
#include "agent/kernel/netns.h"
#include "agent/kernel/qdisc.h"
#include "bpf/abi/net_steer.h"
#include "net_steer.skel.h"

namespace faultline {
namespace {

constexpr int kLoopback = 1;  // the one device that a new network namespace has

Status try_tree(const BandParams& params) {
  if (::unshare(CLONE_NEWNET) != 0) return errno_status(errno, "make a network namespace");
  FL_ASSIGN_OR_RETURN(const Netns here, netns_of_process(::gettid()));
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(here));
  const auto unless_denied = [](const Status& status, std::string_view what) {
    if (status.ok() || status.code() == StatusCode::kPermissionDenied) return annotate(status, what);
    return make_error(StatusCode::kUnimplemented, "{}: {}", what, message_of(status));
  };
  FL_RETURN_IF_ERROR(unless_denied(add_tree(socket, kLoopback), "the kernel has no sch_prio"));
  return unless_denied(add_band_qdisc(socket, kLoopback, kFirstBand, params),
                       fmt::format("the kernel has no sch_{}", kind_of(params)));
}

Status try_program() {
  net_steer* skeleton = net_steer__open_and_load();
  if (!skeleton) {
    const int error = errno;
    const Status status = errno_status(error, "load BPF program net_steer");
    return error == EPERM ? status : Status(StatusCode::kUnimplemented, status.message());
  }
  net_steer__destroy(skeleton);
  return ok_status();
}

}  // namespace

Status probe_shaping_support() {
  FL_RETURN_IF_ERROR(probe_band_support(NetemParams{.latency = std::chrono::milliseconds(1)}));
  return try_program();
}

Status probe_band_support(const BandParams& params) {
  Status status;
  std::thread([&] {
    status = try_tree(params);
  }).join();  // the namespace ends with the thread and its socket
  return status;
}

}  // namespace faultline
