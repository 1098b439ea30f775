// Builds route netlink messages about qdiscs, filters and links.
#pragma once

#include <linux/rtnetlink.h>

#include <functional>
#include <string>

#include "agent/kernel/netlink.h"
#include "common/status.h"

namespace faultline {

// An RTM_*QDISC or RTM_*TFILTER message with room for `room` bytes of attributes.
StatusOr<NlMsg> tc_message(int type, int flags, const tcmsg& header, std::size_t room = 1024);
StatusOr<NlMsg> link_message(int type, int flags, const ifinfomsg& header);

Status put_bytes(NlMsg& msg, int attribute, const void* bytes, std::size_t size);
Status put_text(NlMsg& msg, int attribute, const std::string& text);
template <typename T>
Status put_value(NlMsg& msg, int attribute, const T& value) {
  return put_bytes(msg, attribute, &value, sizeof value);
}
// What `inside` puts, as one nested attribute.
Status put_nested(NlMsg& msg, int attribute, const std::function<Status()>& inside);

}  // namespace faultline
