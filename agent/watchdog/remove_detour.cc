#include "agent/watchdog/remove_detour.h"

#include <linux/if_link.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "agent/watchdog/route_talk.h"

namespace faultline {
namespace {

constexpr std::string_view kEntry = "fa17-";

struct LinkRequest {
  nlmsghdr header;
  ifinfomsg link;
  rtattr name_header;
  char name[RTA_ALIGN(IFNAMSIZ)];
};

struct Search {
  const char* name;
  std::uint32_t group;
  int found;  // ifindex; 0: not yet
};

void look(const nlmsghdr& answer, void* context) noexcept {
  auto& search = *static_cast<Search*>(context);
  if (answer.nlmsg_type != RTM_NEWLINK) return;
  const rtattr* group = attribute_of(answer, sizeof(ifinfomsg), IFLA_GROUP);
  if (!group || RTA_PAYLOAD(group) != sizeof search.group ||
      std::memcmp(RTA_DATA(group), &search.group, sizeof search.group) != 0 ||
      !is_text(attribute_of(answer, sizeof(ifinfomsg), IFLA_IFNAME), search.name)) {
    return;
  }
  search.found = static_cast<const ifinfomsg*>(NLMSG_DATA(&answer))->ifi_index;
}

}  // namespace

int remove_detour(int netns_fd, int ifindex, std::uint32_t group) noexcept {
  LinkRequest ask{};
  ask.header.nlmsg_type = RTM_GETLINK;
  ask.header.nlmsg_flags = NLM_F_ACK;
  char* const end = std::copy(kEntry.begin(), kEntry.end(), ask.name);
  if (std::to_chars(end, ask.name + IFNAMSIZ - 1, ifindex).ec != std::errc()) return EINVAL;
  ask.name_header.rta_type = IFLA_IFNAME;
  ask.name_header.rta_len = static_cast<unsigned short>(RTA_LENGTH(std::strlen(ask.name) + 1));
  ask.header.nlmsg_len = sizeof ask - sizeof ask.name + RTA_ALIGN(std::strlen(ask.name) + 1);

  Search pair{.name = ask.name, .group = group, .found = 0};
  UniqueFd socket;
  if (const int error = open_route_socket(netns_fd, socket)) return error;
  if (const int error = route_request(socket.get(), ask.header, look, &pair)) return error;
  if (pair.found == 0) return ENODEV;
  LinkRequest remove{};
  remove.header.nlmsg_type = RTM_DELLINK;
  remove.header.nlmsg_flags = NLM_F_ACK;
  remove.header.nlmsg_len = NLMSG_LENGTH(sizeof(ifinfomsg));
  remove.link.ifi_index = pair.found;
  return route_request(socket.get(), remove.header, nullptr, nullptr);
}

}  // namespace faultline
