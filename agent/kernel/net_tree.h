// The neutral qdisc tree for one network device and the bands in use on it: on a detour around the device, or
// on the device itself. Sticky; inert unless something sets skb->priority to one of its bands. Owns the tree
// and the detour: destroying the object removes them. Not thread-safe.
#pragma once

#include <memory>
#include <set>

#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/detour.h"
#include "agent/kernel/netlink.h"
#include "agent/kernel/qdisc.h"
#include "agent/kernel/route.h"
#include "common/status.h"

namespace faultline {

class NetTree {
 public:
  // Both: `socket` must be in the device's network namespace and outlive the tree. Ask check_tree_possible()
  // first. AlreadyExists: somebody's root qdisc is there. While the tree comes and goes the kernel drops
  // everybody's packets.
  static StatusOr<std::unique_ptr<NetTree>> on(NetlinkSocket& socket, const Device& device);
  // Disturbs nobody. FailedPrecondition: the device has a detour already.
  static StatusOr<std::unique_ptr<NetTree>> beside(const Netns& netns, NetlinkSocket& socket,
                                                   const Device& device);
  ~NetTree();

  // What holds the qdiscs: the device itself, or the detour's entry.
  int qdiscs_at() const { return detour_ ? detour_->entry().ifindex : device_.ifindex; }
  const Detour* detour() const { return detour_.get(); }  // null: on the device itself
  bool has(std::uint32_t band) const { return bands_.contains(band); }
  bool idle() const { return bands_.empty(); }

  // After a remove() that has failed half way: good again for new bands.
  Status renew(const Netns& netns);
  Status add_band(std::uint32_t band, const BandParams& params);
  // OK when the band or its device is gone.
  Status remove_band(std::uint32_t band);
  // Removes the tree now; OK when it or its device is gone.
  Status remove();

 private:
  NetTree(NetlinkSocket& socket, Device device, std::unique_ptr<Detour> detour)
      : socket_(socket), device_(std::move(device)), detour_(std::move(detour)) {}

  NetlinkSocket& socket_;
  Device device_;
  std::unique_ptr<Detour> detour_;
  std::set<std::uint32_t> bands_;
  bool removed_ = false;
};

// Waits until no packet waits in the band, the band is gone, or `patience` is over.
void drain_band(NetlinkSocket& socket, int ifindex, std::uint32_t band, Nanos patience);

// What forbids a tree on this device, without touching anything.
Status check_tree_possible(NetlinkSocket& socket, const Device& device);

}  // namespace faultline
