// The other end of a container's veth: what the host sends there arrives in the container, so that is where a
// container's ingress is shaped. Nothing is remembered; every call asks the kernel. Minimum kernel: 4.9.
#pragma once

#include "agent/kernel/netns.h"
#include "agent/kernel/route.h"
#include "common/status.h"

namespace faultline {

struct HostEnd {
  Netns netns;  // where the device is; mostly the host's own
  Device device;
  int nsid = -1;  // by which the device's namespace knows the target's; -1: they are the same
};

// FailedPrecondition: the device is no veth (loopback, physical, macvlan, ...), so that ingress cannot be
// shaped. NotFound: the device is gone, or its other end is in a namespace that no process and no mount leads
// to.
StatusOr<HostEnd> host_end_of(const Netns& target, const Device& device);

}  // namespace faultline
