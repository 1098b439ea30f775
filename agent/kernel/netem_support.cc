#include "agent/kernel/netem_support.h"

#include <linux/pkt_sched.h>
#include <netlink/attr.h>

#include <functional>

#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/new_netns.h"
#include "agent/kernel/tc_message.h"

namespace faultline {
namespace {

constexpr NetemParams kSeeded{.seed = 0x6661756c746c696e};

// `ask` gets a tree on the only device of a new network namespace.
StatusOr<bool> ask_a_netem(const std::function<StatusOr<bool>(NetlinkSocket&)>& ask) {
  bool answer = false;
  const auto ask_there = [&](NetlinkSocket& socket, const Netns&) -> Status {
    FL_RETURN_IF_ERROR(add_tree(socket, kOnlyDevice));
    FL_RETURN_IF_ERROR(add_band_qdisc(socket, kOnlyDevice, kFirstBand, kSeeded));
    FL_ASSIGN_OR_RETURN(answer, ask(socket));
    return ok_status();
  };
  FL_RETURN_IF_ERROR(in_new_netns(ask_there));
  return answer;
}

// A kernel that knows seeds tells the one that it was given.
bool tells_seed(nlmsghdr* header) {
  nlattr* attributes[TCA_MAX + 1] = {};
  if (nlmsg_parse(header, sizeof(tcmsg), attributes, TCA_MAX, nullptr) < 0) return false;
  const auto* tc = static_cast<const tcmsg*>(nlmsg_data(header));
  if (tc->tcm_handle != band_handle(kFirstBand) || !attributes[TCA_OPTIONS]) return false;
  // netem's options are a struct, then attributes.
  constexpr int kStruct = NLA_ALIGN(sizeof(tc_netem_qopt));
  auto* options = static_cast<char*>(nla_data(attributes[TCA_OPTIONS]));
  const int size = nla_len(attributes[TCA_OPTIONS]) - kStruct;
  nlattr* said[kNetemPrngSeed + 1] = {};
  if (size < 0 ||
      nla_parse(said, kNetemPrngSeed, reinterpret_cast<nlattr*>(options + kStruct), size, nullptr) < 0)
    return false;
  return said[kNetemPrngSeed] && nla_len(said[kNetemPrngSeed]) == sizeof kSeeded.seed &&
         nla_get_u64(said[kNetemPrngSeed]) == kSeeded.seed;
}

}  // namespace

StatusOr<bool> netem_takes_seed() {
  return ask_a_netem([](NetlinkSocket& socket) -> StatusOr<bool> {
    FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_GETQDISC, 0, tcmsg{}));
    bool seeded = false;
    FL_RETURN_IF_ERROR(
        socket.dump(std::move(msg), [&](nlmsghdr* header) { seeded = seeded || tells_seed(header); }));
    return seeded;
  });
}

StatusOr<bool> netem_duplicates_beside_others() {
  return ask_a_netem([](NetlinkSocket& socket) -> StatusOr<bool> {
    const Status second = add_band_qdisc(socket, kOnlyDevice, kFirstBand + 1, NetemParams{.duplicate = true});
    if (second.code() == StatusCode::kFailedPrecondition) return false;
    FL_RETURN_IF_ERROR(second);
    return true;
  });
}

}  // namespace faultline
