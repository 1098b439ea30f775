// Two network namespaces, joined by a veth pair, with sockets of the test's own process in both: for tests of
// the kernel's side that need no agent and no cgroup. Sockets steer themselves by SO_PRIORITY, as the BPF
// programs would. Built with the ip tool, an independent witness; everything is gone after the destructor.
// Needs root.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/kernel/netlink.h"
#include "agent/kernel/netns.h"
#include "agent/kernel/route.h"
#include "common/unique_fd.h"

namespace faultline::testing {

inline constexpr const char* kNearAddress = "10.98.0.1";
inline constexpr const char* kFarAddress = "10.98.0.2";

struct Arrival {
  std::uint64_t number = 0;
  double delay_ms = 0;  // from before send() to the receiving kernel's time stamp
  double at_s = 0;      // that time stamp
  std::vector<unsigned char> payload;
};

class VethLab {
 public:
  VethLab();
  ~VethLab();
  VethLab(const VethLab&) = delete;
  VethLab& operator=(const VethLab&) = delete;

  const std::string& near_name() const { return near_name_; }
  const std::string& far_name() const { return far_name_; }
  const Netns& near() const { return near_; }
  const Netns& far() const { return far_; }
  const Device& near_device() const { return near_device_; }  // eth0
  const Device& far_device() const { return far_device_; }    // eth0
  NetlinkSocket& near_socket() { return *near_socket_; }

  // Sends `count` numbered datagrams of `size` bytes to the far end, `interval_us` apart (0: as fast as the
  // socket takes them), with this priority; fails the test when a send() fails. Then what arrived, until
  // `copies` of each are there or nothing has come for `wait_ms`.
  std::vector<Arrival> datagrams(std::uint32_t priority, int count, int interval_us, int size, int wait_ms,
                                 int copies = 1);
  // Bytes a second at which `bytes` of one TCP stream got to the far end.
  double stream_rate(std::uint32_t priority, std::size_t bytes);

  // What tc says about the near device, an independent witness.
  std::string tc(const std::string& what) const;

 private:
  std::string near_name_, far_name_;
  Netns near_, far_;
  Device near_device_, far_device_;
  std::unique_ptr<NetlinkSocket> near_socket_;
};

Netns open_netns_of(const std::string& name);  // in /run/netns
UniqueFd socket_in(const Netns& netns, int type);

}  // namespace faultline::testing
