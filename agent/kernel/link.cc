#include "agent/kernel/link.h"

#include <netlink/errno.h>

#include <string_view>

namespace faultline {
namespace {

StatusOr<Link> ask(NetlinkSocket& socket, int ifindex, const char* name, const std::string& what) {
  rtnl_link* link = nullptr;
  if (int e = rtnl_link_get_kernel(socket.raw(), ifindex, name, &link); e < 0) {
    const bool gone = e == -NLE_NODEV || e == -NLE_OBJ_NOTFOUND;
    return make_error(gone ? StatusCode::kNotFound : StatusCode::kInternal, "interface {}: {}", what,
                      nl_geterror(e));
  }
  return Link(link);
}

}  // namespace

StatusOr<Link> link_of(NetlinkSocket& socket, int ifindex) {
  return ask(socket, ifindex, nullptr, std::to_string(ifindex));
}

StatusOr<Link> link_named(NetlinkSocket& socket, const std::string& name) {
  return ask(socket, 0, name.c_str(), name);
}

bool is_veth(const Link& link) {
  const char* type = rtnl_link_get_type(link.get());
  return type && std::string_view(type) == "veth";
}

}  // namespace faultline
