// The DNS redirect of one target in one network namespace together with the responder that it leads to;
// shared by all DNS faults there. Auto: nothing outlives it. Minimum kernel: 5.14.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "agent/dns/responder.h"
#include "agent/kernel/net_dns.h"

namespace faultline {

// Threads: any, each with the number of a rule of its own.
class DnsTap {
 public:
  static StatusOr<std::unique_ptr<DnsTap>> make(int cgroup_fd, const Netns& netns);
  ~DnsTap();

  // In force, as the rule's schedule says, from the return on. The result names it in the calls below.
  StatusOr<int> add(DnsRule rule);
  void set_deadline(int rule, MonoTime deadline);
  DnsCounters counters(int rule) { return responder_->rules().counters(rule); }
  // Ends its effect at once; its last counters.
  DnsCounters remove(int rule);
  // Waits for the answers to queries that are under way.
  void drain(Nanos at_most) { responder_->drain(at_most); }

  bool unused() const { return rules_ == 0; }
  const std::vector<CgroupProgram>& programs() const { return redirect_->programs(); }

 private:
  DnsTap() = default;

  std::mutex mutex_;  // of add and remove
  std::atomic<int> rules_ = 0;
  std::atomic<const NetDns*> known_ =
      nullptr;  // for the responder's thread, which is there before the redirect
  std::unique_ptr<Responder> responder_;
  std::unique_ptr<NetDns> redirect_;
};

}  // namespace faultline
