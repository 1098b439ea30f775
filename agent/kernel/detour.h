// A way around a network device: a pair of veths in its namespace, through which packets come out of the
// device after all. The tree of qdiscs that shapes them stands on the pair's first end, so that the device's
// own root qdisc is never exchanged, in which moment the kernel drops everybody's packets.
//
//   device --(steered)--> fa17-N [tree fa17:] === fa17r-N --> device
//
// Sent around is what leaves the device with a priority of the tree, and what a program redirects to the
// first end. The pair is sticky, marked by its names and its group, and inert: what leads to it and from it
// is auto (forward_rules.h). Minimum kernel: 5.16, as there. Sources: linux/if_link.h, drivers/net/veth.c.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/kernel/forward_rules.h"
#include "agent/kernel/netlink.h"
#include "agent/kernel/netns.h"
#include "agent/kernel/route.h"
#include "common/status.h"

namespace faultline {

inline constexpr std::uint32_t kDetourGroup = 0xfa17;  // of both ends

// Of the device with this number; the watchdog knows the first one, too (StickyWill).
std::string detour_entry_name(int ifindex);
std::string detour_exit_name(int ifindex);

class Detour {
 public:
  // The pair, not yet up: the moment to put a tree on its entry. `socket` must be in the device's namespace
  // and outlive the detour. FailedPrecondition: something of that name is there.
  static StatusOr<std::unique_ptr<Detour>> make(NetlinkSocket& socket, const Device& device);
  ~Detour();

  const Device& entry() const { return entry_; }
  const Device& exit() const { return exit_; }

  // From now on what is steered goes around. `netns`: the device's.
  Status open(const Netns& netns);
  bool is_open() const { return rules_ != nullptr; }
  // The device's MTU may have changed; the token buckets on the entry go by the entry's.
  Status follow_mtu();
  // Nothing is sent around any more, and what is on its way is lost. OK when it is gone already.
  Status remove();

 private:
  Detour(NetlinkSocket& socket, Device device) : socket_(socket), device_(std::move(device)) {}
  Status prepare();

  NetlinkSocket& socket_;
  Device device_;
  Device entry_;
  Device exit_;
  std::unique_ptr<ForwardRules> rules_;
  bool removed_ = false;
};

// Removes the pair of the device with this number if it carries our marks. NotFound: there is none.
Status remove_detour(NetlinkSocket& socket, int ifindex);

// The entries of all detours in the namespace of `socket`, and the devices that they lead around.
struct DetourPlace {
  int device = 0;
  int entry = 0;
};
StatusOr<std::vector<DetourPlace>> list_detours(NetlinkSocket& socket);
// Of the one device; NotFound: it has none.
StatusOr<DetourPlace> detour_of(NetlinkSocket& socket, int ifindex);

// Whether a detour around this device can work: packets must have Ethernet headers, and must not lead back
// into their own host, which knows them by more than their bytes.
StatusOr<bool> detour_fits(NetlinkSocket& socket, const Device& device);

}  // namespace faultline
