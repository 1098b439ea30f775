// The neutral qdisc tree on one network device and the bands in use on it. Sticky; inert unless something
// sets skb->priority to one of its bands. Owns the tree: destroying the object removes it. Not thread-safe.
#pragma once

#include <memory>
#include <set>

#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/netlink.h"
#include "agent/kernel/qdisc.h"
#include "agent/kernel/route.h"
#include "common/status.h"

namespace faultline {

class NetTree {
 public:
  // FailedPrecondition when a root qdisc is there that is not the kernel's default: it is left alone.
  // `socket` must be in the device's network namespace and outlive the tree.
  static StatusOr<std::unique_ptr<NetTree>> make(NetlinkSocket& socket, const Device& device);
  ~NetTree();

  const Device& device() const { return device_; }
  bool has(std::uint32_t band) const { return bands_.contains(band); }
  bool idle() const { return bands_.empty(); }

  Status add_band(std::uint32_t band, const BandParams& params);
  // OK when the band or its device is gone.
  Status remove_band(std::uint32_t band);
  // Removes the tree now; OK when it or its device is gone.
  Status remove();

 private:
  NetTree(NetlinkSocket& socket, Device device) : socket_(socket), device_(std::move(device)) {}

  NetlinkSocket& socket_;
  Device device_;
  std::set<std::uint32_t> bands_;
  bool removed_ = false;
};

// Waits until no packet waits in the band, the band is gone, or `patience` is over.
void drain_band(NetlinkSocket& socket, int ifindex, std::uint32_t band, Nanos patience);

// What forbids a tree on this device, without touching anything.
Status check_tree_possible(NetlinkSocket& socket, const Device& device);

}  // namespace faultline
