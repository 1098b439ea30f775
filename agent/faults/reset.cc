#include "agent/faults/reset.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "agent/faults/net_traffic.h"
#include "agent/faults/reset_rule.h"
#include "agent/faults/schedule.h"
#include "agent/kernel/sock_diag.h"
#include "agent/target/cgroup.h"
#include "common/log.h"

namespace faultline {
namespace {

// The target's connections in one network namespace, those of the cgroups below it included.
StatusOr<std::vector<TcpConnection>> connections_of(int cgroup_fd, SockDiag& diag) {
  FL_ASSIGN_OR_RETURN(const std::set<std::uint64_t> cgroups, cgroup_ids_below(cgroup_fd));
  FL_ASSIGN_OR_RETURN(std::vector<TcpConnection> connections, diag.connections());
  std::erase_if(connections, [&](const TcpConnection& c) { return !cgroups.contains(c.cgroup_id); });
  return connections;
}

class ResetInForce : public Fault {
 public:
  static StatusOr<std::unique_ptr<ResetInForce>> make(const FaultRequest& request, const PeerLookup& lookup) {
    FL_ASSIGN_OR_RETURN(ResetRule rule, to_reset_rule(request.spec));
    FL_ASSIGN_OR_RETURN(rule.match, look_up(rule.filter, lookup, request.target, {}));
    std::unique_ptr<ResetInForce> fault(new ResetInForce(std::move(rule), request, lookup));
    FL_ASSIGN_OR_RETURN(fault->target_, duplicate(request.target));
    for (const Netns& netns : request.target.netns) {
      FL_ASSIGN_OR_RETURN(SockDiag diag, SockDiag::open(netns));
      fault->namespaces_.push_back(std::move(diag));
    }
    const MonoTime now = mono_now();
    if (request.start <= now) FL_RETURN_IF_ERROR(fault->round());
    fault->thread_ = std::thread([&self = *fault, now] { self.run(now); });
    return fault;
  }
  ~ResetInForce() override { stop(); }

  void set_deadline(MonoTime deadline) override {
    const std::lock_guard lock(mutex_);
    schedule_.deadline_ns = ktime_ns(deadline);
  }

  v1::Counters counters() const override {
    v1::Counters counters;
    counters.set_evaluated(evaluated_);
    counters.set_matched(matched_);
    counters.set_injected(injected_);
    return counters;
  }

  std::vector<v1::Achieved> achieved() const override { return {}; }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      schedule_.deadline_ns = 0;
      stopping_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }

  Status revert() override {
    stop();
    namespaces_.clear();
    return ok_status();
  }

 private:
  ResetInForce(ResetRule rule, const FaultRequest& request, const PeerLookup& lookup)
      : lookup_(lookup), rule_(std::move(rule)), start_(request.start), schedule_(to_schedule(request)) {}

  bool in_force() const {
    const std::lock_guard lock(mutex_);
    return fl_in_force(&schedule_, ktime_ns(mono_now()));
  }

  // Asks before each connection: a process that was frozen in the middle must not go on where it was.
  Status round() {
    for (SockDiag& diag : namespaces_) {
      if (!in_force()) return ok_status();
      FL_ASSIGN_OR_RETURN(const auto connections, connections_of(target_.cgroup_fd.get(), diag));
      for (const TcpConnection& connection : connections) {
        ++evaluated_;
        if (!concerns(rule_, connection)) continue;
        if (!in_force()) return ok_status();
        ++matched_;
        FL_ASSIGN_OR_RETURN(const bool destroyed, diag.destroy(connection));
        injected_ += destroyed;
      }
    }
    return ok_status();
  }

  // The rounds that are due after `done`.
  void run(MonoTime done) {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto next = next_round(start_, rule_.every, done);
      if (!next || changed_.wait_until(lock, *next, [this] { return stopping_; })) return;
      lock.unlock();
      // Only this thread reads the match now. Who cannot be found is taken to be where he was.
      if (rule_.filter.may_change()) {
        if (auto match = look_up(rule_.filter, lookup_, target_, {}); match.ok())
          rule_.match = *std::move(match);
      }
      if (const Status status = round(); !status.ok() && status.code() != StatusCode::kNotFound) {
        spdlog::warn("event=reset_round_failed error=\"{}\"", message_of(status));
      }
      done = mono_now();  // rounds that were missed meanwhile are not made up for
      lock.lock();
    }
  }

  const PeerLookup& lookup_;
  ResetRule rule_;
  const MonoTime start_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  fl_schedule schedule_;
  bool stopping_ = false;
  Target target_;
  std::vector<SockDiag> namespaces_;
  std::atomic<std::uint64_t> evaluated_ = 0, matched_ = 0, injected_ = 0;
  std::thread thread_;
};

class ResetKind : public FaultKind {
 public:
  explicit ResetKind(const PeerLookup& lookup) : lookup_(lookup) {}

  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kReset; }
  std::string_view name() const override { return "reset"; }
  std::string_view mechanism() const override { return "SOCK_DESTROY over sock_diag"; }

  Status supported() override {
    const std::lock_guard lock(mutex_);
    if (!supported_) supported_ = probe_reset_support();
    return *supported_;
  }

  Status check(const v1::FaultSpec& spec) const override { return to_reset_rule(spec).status(); }

  StatusOr<std::vector<std::string>> plan(const FaultRequest& request) override {
    FL_ASSIGN_OR_RETURN(ResetRule rule, to_reset_rule(request.spec));
    FL_ASSIGN_OR_RETURN(rule.match, look_up(rule.filter, lookup_, request.target, {}));
    std::vector<std::string> lines;
    for (const Netns& netns : request.target.netns) {
      FL_ASSIGN_OR_RETURN(SockDiag diag, SockDiag::open(netns));
      FL_ASSIGN_OR_RETURN(const auto connections, connections_of(request.target.cgroup_fd.get(), diag));
      const auto matching = std::count_if(connections.begin(), connections.end(),
                                          [&](const TcpConnection& c) { return matches(rule.match, c); });
      lines.push_back(
          fmt::format("{} of {} TCP connections of cgroup {} in network namespace {} match just now",
                      matching, connections.size(), request.target.cgroup, netns.inode));
    }
    lines.push_back(describe_reset(request.spec));
    if (std::string pulse = describe_pulse(request.spec); !pulse.empty()) lines.push_back(std::move(pulse));
    return lines;
  }

  StatusOr<std::unique_ptr<Fault>> apply(const FaultRequest& request) override {
    FL_ASSIGN_OR_RETURN(std::unique_ptr<ResetInForce> fault, ResetInForce::make(request, lookup_));
    return fault;
  }

  // A connection that is gone is the fault's very effect, and nothing else is ever changed.
  StatusOr<std::vector<StateItem>> snapshot(const Target&) override { return std::vector<StateItem>(); }
  std::vector<std::string> owned(const Target&) override { return {}; }

 private:
  const PeerLookup& lookup_;
  std::mutex mutex_;
  std::optional<Status> supported_;
};

}  // namespace

std::unique_ptr<FaultKind> make_reset(const PeerLookup& lookup) {
  return std::make_unique<ResetKind>(lookup);
}

}  // namespace faultline
