// What the running kernel can do about traffic, asked once, and the BPF programs for it, loaded ahead:
// proving them takes the kernel longer than all the rest of an apply. One for a process. Threads: any.
// Minimum kernel: any; the answer says what is missing.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/net_sojourn.h"
#include "agent/kernel/net_steer.h"
#include "common/status.h"

namespace faultline {

class NetSupport {
 public:
  NetSupport() = default;
  NetSupport(const NetSupport&) = delete;
  NetSupport& operator=(const NetSupport&) = delete;

  // All of these: Unimplemented, with the reason, when the kernel cannot; PermissionDenied when this process
  // may not. Only what the kernel says is remembered, not what may be otherwise at the next call.
  Status steering();
  // Builds the tree with such a band in a network namespace of its own, which is gone on return. The kernel
  // may load sch_prio and the band's module for it.
  Status band(const BandParams& params);
  // Whether packets can be led around a device (detour.h), and whether a program may send them there without
  // a qdisc of the device's: a tcx link, from 6.6 on.
  Status detour();
  Status redirect();

  // Programs that aim at nobody yet.
  StatusOr<std::unique_ptr<NetSteer>> take_steer();
  // Null where the kernel cannot measure; asked at the first call.
  NetSojourn* sojourn();

 private:
  Status load_locked();
  Status ask(std::string_view what, const std::function<Status(NetlinkSocket&, const Netns&)>& attempt);
  void keep_loading(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any taken_;
  std::unique_ptr<NetSteer> spare_;
  std::optional<Status> cannot_steer_;
  std::map<std::string_view, Status> known_;  // what ask() has found
  std::once_flag sojourn_asked_;
  std::unique_ptr<NetSojourn> sojourn_;
  std::jthread loader_;  // last: it ends before what it uses
};

}  // namespace faultline
