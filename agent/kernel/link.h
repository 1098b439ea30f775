// One network interface as the kernel describes it.
#pragma once

#include <netlink/route/link.h>

#include <memory>
#include <string>

#include "agent/kernel/netlink.h"
#include "common/status.h"

namespace faultline {

struct LinkPut {
  void operator()(rtnl_link* link) const { rtnl_link_put(link); }
};
using Link = std::unique_ptr<rtnl_link, LinkPut>;

// NotFound: there is none (any more).
StatusOr<Link> link_of(NetlinkSocket& socket, int ifindex);
StatusOr<Link> link_named(NetlinkSocket& socket, const std::string& name);

bool is_veth(const Link& link);

}  // namespace faultline
