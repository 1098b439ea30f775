#include "agent/kernel/new_netns.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace faultline {
namespace {

Status make_and_run(const std::function<Status(NetlinkSocket&, const Netns&)>& f) {
  if (::unshare(CLONE_NEWNET) != 0) return errno_status(errno, "make a network namespace");
  FL_ASSIGN_OR_RETURN(const Netns here, netns_of_process(::gettid()));
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(here));
  return f(socket, here);
}

}  // namespace

Status in_new_netns(const std::function<Status(NetlinkSocket&, const Netns&)>& f) {
  Status status;
  // The thread ends here, so there is no way back to take and none to get wrong.
  std::thread([&] { status = make_and_run(f); }).join();
  return status;
}

}  // namespace faultline
