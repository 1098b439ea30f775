#include "agent/faults/dns.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "agent/faults/dns_rule.h"
#include "agent/faults/dns_tap.h"
#include "agent/faults/schedule.h"
#include "common/log.h"

namespace faultline {
namespace {

// Queries on their way to the true servers get so long to come back before the responder goes.
constexpr Nanos kPatience = std::chrono::milliseconds(500);

// The taps in place. Threads: any.
class Taps {
 public:
  StatusOr<std::shared_ptr<DnsTap>> get(const Target& target, const Netns& netns) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<DnsTap>& place = taps_[{target.cgroup_id, netns.inode}];
    if (auto tap = place.lock()) return tap;
    FL_ASSIGN_OR_RETURN(std::shared_ptr<DnsTap> tap, DnsTap::make(target.cgroup_fd.get(), netns));
    place = tap;
    return tap;
  }

  // The last one takes its programs away, and no snapshot is made meanwhile.
  void release(std::vector<std::shared_ptr<DnsTap>> taps) {
    const std::lock_guard lock(mutex_);
    taps.clear();
    std::erase_if(taps_, [](const auto& entry) { return entry.second.expired(); });
  }

  StatusOr<std::vector<StateItem>> snapshot(const Target& target) {
    const std::lock_guard lock(mutex_);
    const std::vector<std::string> ours = texts_of(target);
    const auto programs = cgroup_programs(target.cgroup_fd.get(), kDnsHooks);
    std::vector<StateItem> items;
    if (programs.status().code() == StatusCode::kNotFound) return items;  // gone with their cgroup
    FL_RETURN_IF_ERROR(programs.status());
    for (const CgroupProgram& program : *programs) {
      std::string text = to_string(program);
      const bool is_ours = std::find(ours.begin(), ours.end(), text) != ours.end();
      items.push_back({.text = std::move(text), .ours = is_ours});
    }
    return items;
  }

  std::vector<std::string> owned(const Target& target) {
    const std::lock_guard lock(mutex_);
    return texts_of(target);
  }

 private:
  std::vector<std::string> texts_of(const Target& target) const {
    std::vector<std::string> texts;
    for (const auto& [where, place] : taps_) {
      const auto tap = where.first == target.cgroup_id ? place.lock() : nullptr;
      if (!tap) continue;
      for (const CgroupProgram& program : tap->programs()) texts.push_back(to_string(program));
    }
    return texts;
  }

  std::mutex mutex_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::weak_ptr<DnsTap>> taps_;  // by cgroup and namespace
};

class DnsInForce : public Fault {
 public:
  explicit DnsInForce(Taps& taps) : taps_(taps) {}
  ~DnsInForce() override {
    if (Status status = revert(); !status.ok())
      spdlog::error("event=revert_failed error=\"{}\"", message_of(status));
  }

  Status put_in_place(const FaultRequest& request, const DnsRule& rule) {
    for (const Netns& netns : request.target.netns) {
      FL_ASSIGN_OR_RETURN(std::shared_ptr<DnsTap> tap, taps_.get(request.target, netns));
      parts_.push_back({.tap = std::move(tap), .rule = std::nullopt, .last = {}});
      FL_ASSIGN_OR_RETURN(parts_.back().rule, parts_.back().tap->add(rule));
    }
    return ok_status();
  }

  void set_deadline(MonoTime deadline) override {
    for (const Part& part : parts_) {
      if (part.rule) part.tap->set_deadline(*part.rule, deadline);
    }
  }

  v1::Counters counters() const override {
    v1::Counters sum;
    for (const Part& part : parts_) {
      const DnsCounters one = part.rule ? part.tap->counters(*part.rule) : part.last;
      sum.set_evaluated(sum.evaluated() + one.evaluated);
      sum.set_matched(sum.matched() + one.matched);
      sum.set_injected(sum.injected() + one.injected);
    }
    return sum;
  }

  std::vector<v1::Achieved> achieved() const override { return {}; }

  void stop() override {
    for (Part& part : parts_) {
      if (part.rule) part.last = part.tap->remove(*part.rule);
      part.rule.reset();
    }
  }

  Status revert() override {
    stop();
    std::vector<std::shared_ptr<DnsTap>> taps;
    for (Part& part : parts_) {
      if (part.tap->unused()) part.tap->drain(kPatience);
      taps.push_back(std::move(part.tap));
    }
    parts_.clear();
    taps_.release(std::move(taps));
    return ok_status();
  }

 private:
  struct Part {  // in one network namespace
    std::shared_ptr<DnsTap> tap;
    std::optional<int> rule;
    DnsCounters last;  // once the rule is gone
  };
  Taps& taps_;
  std::vector<Part> parts_;
};

class DnsKind : public FaultKind {
 public:
  v1::FaultSpec::KindCase which() const override { return v1::FaultSpec::kDns; }
  std::string_view name() const override { return "dns"; }
  std::string_view mechanism() const override {
    return "cgroup/connect, sendmsg and recvmsg redirect port 53 to a responder in the target's namespace";
  }

  Status supported() override {
    const std::lock_guard lock(mutex_);
    if (!supported_) supported_ = probe_dns_support();
    return *supported_;
  }

  Status check(const v1::FaultSpec& spec) const override { return to_dns_rule(spec).status(); }

  StatusOr<std::vector<std::string>> plan(const FaultRequest& request) override {
    std::vector<std::string> lines;
    for (const Netns& netns : request.target.netns) {
      FL_RETURN_IF_ERROR(run_in_netns(netns, probe_loopback));
      lines.push_back(
          fmt::format("open DNS sockets on the loopback addresses of network namespace {}", netns.inode));
      lines.push_back(fmt::format("redirect there by BPF programs what cgroup {} asks port 53 of any server",
                                  request.target.cgroup));
    }
    lines.push_back(describe_dns(request.spec));
    if (std::string pulse = describe_pulse(request.spec); !pulse.empty()) lines.push_back(std::move(pulse));
    return lines;
  }

  StatusOr<std::unique_ptr<Fault>> apply(const FaultRequest& request) override {
    FL_ASSIGN_OR_RETURN(DnsRule rule, to_dns_rule(request.spec));
    rule.schedule = to_schedule(request);
    auto fault = std::make_unique<DnsInForce>(taps_);
    FL_RETURN_IF_ERROR(fault->put_in_place(request, rule));
    return fault;
  }

  StatusOr<std::vector<StateItem>> snapshot(const Target& target) override { return taps_.snapshot(target); }
  std::vector<std::string> owned(const Target& target) override { return taps_.owned(target); }

 private:
  std::mutex mutex_;
  std::optional<Status> supported_;
  Taps taps_;
};

}  // namespace

std::unique_ptr<FaultKind> make_dns() {
  return std::make_unique<DnsKind>();
}

}  // namespace faultline
