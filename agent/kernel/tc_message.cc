#include "agent/kernel/tc_message.h"

#include <netlink/attr.h>

namespace faultline {
namespace {

Status room_for(bool found) {
  return found ? ok_status()
               : make_error(StatusCode::kResourceExhausted, "netlink message: out of room or memory");
}

template <typename Header>
StatusOr<NlMsg> message(int type, int flags, const Header& header, std::size_t room) {
  NlMsg msg(nlmsg_alloc_size(nlmsg_total_size(sizeof header) + room));
  if (!msg || !nlmsg_put(msg.get(), NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags)) return room_for(false);
  FL_RETURN_IF_ERROR(
      room_for(nlmsg_append(msg.get(), const_cast<Header*>(&header), sizeof header, NLMSG_ALIGNTO) >= 0));
  return msg;
}

}  // namespace

StatusOr<NlMsg> tc_message(int type, int flags, const tcmsg& header, std::size_t room) {
  return message(type, flags, header, room);
}

StatusOr<NlMsg> link_message(int type, int flags, const ifinfomsg& header) {
  return message(type, flags, header, 1024);
}

Status put_bytes(NlMsg& msg, int attribute, const void* bytes, std::size_t size) {
  return room_for(nla_put(msg.get(), attribute, static_cast<int>(size), bytes) >= 0);
}

Status put_text(NlMsg& msg, int attribute, const std::string& text) {
  return room_for(nla_put_string(msg.get(), attribute, text.c_str()) >= 0);
}

Status put_nested(NlMsg& msg, int attribute, const std::function<Status()>& inside) {
  nlattr* outer = nla_nest_start(msg.get(), attribute);
  FL_RETURN_IF_ERROR(room_for(outer != nullptr));
  FL_RETURN_IF_ERROR(inside());
  nla_nest_end(msg.get(), outer);
  return ok_status();
}

}  // namespace faultline
