#include "agent/kernel/netem_support.h"

#include <linux/pkt_sched.h>
#include <netlink/attr.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/netns.h"
#include "agent/kernel/tc_message.h"

namespace faultline {
namespace {

constexpr int kLoopback = 1;  // the one device that a new network namespace has
constexpr NetemParams kSeeded{.seed = 0x6661756c746c696e};

// `ask` gets a tree on the loopback of a new network namespace; the namespace ends with the thread and its
// socket.
StatusOr<bool> ask_in_new_netns(const std::function<StatusOr<bool>(NetlinkSocket&)>& ask) {
  StatusOr<bool> answer = false;
  std::thread([&] {
    answer = [&]() -> StatusOr<bool> {
      if (::unshare(CLONE_NEWNET) != 0) return errno_status(errno, "make a network namespace");
      FL_ASSIGN_OR_RETURN(const Netns here, netns_of_process(::gettid()));
      FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(here));
      FL_RETURN_IF_ERROR(add_tree(socket, kLoopback));
      FL_RETURN_IF_ERROR(add_band_qdisc(socket, kLoopback, kFirstBand, kSeeded));
      return ask(socket);
    }();
  }).join();
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
  return ask_in_new_netns([](NetlinkSocket& socket) -> StatusOr<bool> {
    FL_ASSIGN_OR_RETURN(NlMsg msg, tc_message(RTM_GETQDISC, 0, tcmsg{}));
    bool seeded = false;
    FL_RETURN_IF_ERROR(
        socket.dump(std::move(msg), [&](nlmsghdr* header) { seeded = seeded || tells_seed(header); }));
    return seeded;
  });
}

StatusOr<bool> netem_duplicates_beside_others() {
  return ask_in_new_netns([](NetlinkSocket& socket) -> StatusOr<bool> {
    const Status second = add_band_qdisc(socket, kLoopback, kFirstBand + 1, NetemParams{.duplicate = true});
    if (second.code() == StatusCode::kFailedPrecondition) return false;
    FL_RETURN_IF_ERROR(second);
    return true;
  });
}

}  // namespace faultline
