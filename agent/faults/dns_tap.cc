#include "agent/faults/dns_tap.h"

#include <sched.h>

#include "common/log.h"

namespace faultline {
namespace {

fl_dns_family family_of(DnsPlace place) {
  return place.v6 ? FL_DNS_IPV6 : FL_DNS_IPV4;
}

static_assert(DnsRules::kMaxRules == FL_DNS_FAULTS, "a rule and its schedule have one number");

}  // namespace

StatusOr<std::unique_ptr<DnsTap>> DnsTap::make(int cgroup_fd, const Netns& netns) {
  std::unique_ptr<DnsTap> tap(new DnsTap);
  const auto enter = [&netns]() -> Status {
    if (::setns(netns.fd.get(), CLONE_NEWNET) == 0) return ok_status();
    return errno_status(errno, fmt::format("enter network namespace {}", netns.inode));
  };
  const auto upstream = [&known = tap->known_](DnsPlace place) -> std::optional<SocketAddress> {
    const NetDns* redirect = known;
    const auto server = redirect ? redirect->server(family_of(place), place.index) : std::nullopt;
    if (!server) return std::nullopt;
    return SocketAddress{
        .storage = *server,
        .size = static_cast<socklen_t>(place.v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in))};
  };
  FL_ASSIGN_OR_RETURN(tap->responder_, Responder::make(enter, FL_DNS_SERVERS, upstream));
  const auto ports = [&responder = *tap->responder_](fl_dns_family family, int server) -> NetDns::Ports {
    const DnsPorts there = responder.ports({.v6 = family == FL_DNS_IPV6, .index = server});
    return {.udp = there.udp, .tcp = there.tcp};
  };
  FL_ASSIGN_OR_RETURN(tap->redirect_, NetDns::make(cgroup_fd, netns, ports));
  tap->known_ = tap->redirect_.get();
  return tap;
}

DnsTap::~DnsTap() {
  if (redirect_ && redirect_->left_alone() > 0) {
    spdlog::warn("event=dns_left_alone queries={} reason=\"device-bound, link-local, or too many servers\"",
                 redirect_->left_alone());
  }
  responder_.reset();  // its thread asks the redirect
}

StatusOr<int> DnsTap::add(DnsRule rule) {
  const std::lock_guard lock(mutex_);
  const fl_schedule schedule = rule.schedule;
  fl_schedule not_yet = schedule;
  not_yet.deadline_ns = 0;
  FL_ASSIGN_OR_RETURN(const int place, redirect_->add(not_yet));
  responder_->rules().add(place, std::move(rule));
  redirect_->set_deadline(place, MonoTime(Nanos(schedule.deadline_ns)));
  ++rules_;
  return place;
}

void DnsTap::set_deadline(int rule, MonoTime deadline) {
  responder_->rules().set_deadline(rule, deadline);
  redirect_->set_deadline(rule, deadline);
}

DnsCounters DnsTap::remove(int rule) {
  const std::lock_guard lock(mutex_);
  redirect_->set_deadline(rule, MonoTime(Nanos(0)));
  const DnsCounters last = responder_->remove(rule);
  redirect_->remove(rule);
  --rules_;
  return last;
}

}  // namespace faultline
