#include "tests/unit/agent/engine/fake_kind.h"

namespace faultline::testing {
namespace {

std::string text_of(int fault) {
  return fmt::format("state of fault {}", fault);
}

}  // namespace

class FakeKind::InForce final : public Fault {
 public:
  InForce(FakeKind& kind, int number) : kind_(kind), number_(number) { ++kind_.in_force_; }
  ~InForce() override {
    if (!gone_) (void)revert();
    --kind_.in_force_;
    const std::lock_guard lock(kind_.mutex_);
    kind_.note(fmt::format("gone {}", number_));
  }

  void set_deadline(MonoTime deadline) override {
    const Use use(*this);
    const std::lock_guard lock(kind_.mutex_);
    kind_.deadlines_[number_].push_back(deadline);
  }
  v1::Counters counters() const override {
    const Use use(*this);
    v1::Counters counters;  // the last packet is counted while the fault stops
    counters.set_evaluated(20);
    counters.set_matched(10);
    counters.set_injected(stopped_ ? 6 : 5);
    return counters;
  }
  std::vector<v1::Achieved> achieved() const override {
    const Use use(*this);
    v1::Achieved latency;
    latency.set_name("latency");
    latency.set_samples(stopped_ ? 6 : 5);
    return {latency};
  }
  Status standing() override {
    const Use use(*this);
    return kind_.fallen;
  }
  void stop() override {
    const Use use(*this);
    stopped_ = true;
    const std::lock_guard lock(kind_.mutex_);
    kind_.note(fmt::format("stop {}", number_));
  }
  Status revert() override {
    if (gone_) ++kind_.rule_breaks_;  // it may come again only where it failed
    reverted_ = true;
    if (users_ != 0) ++kind_.rule_breaks_;
    if (kind_.during_revert) kind_.during_revert();
    const std::lock_guard lock(kind_.mutex_);
    kind_.note(fmt::format("revert {}", number_));
    kind_.state_[number_] = false;
    if (kind_.no_revert.ok() && !kind_.leaves_state) kind_.state_.erase(number_);
    gone_ = kind_.no_revert.ok();
    return kind_.no_revert;
  }

 private:
  // set_deadline, counters and achieved never come beside or after revert.
  class Use {
   public:
    explicit Use(const InForce& fault) : fault_(fault) { ++fault_.users_; }
    ~Use() {
      if (fault_.reverted_) ++fault_.kind_.rule_breaks_;
      --fault_.users_;
    }

   private:
    const InForce& fault_;
  };

  FakeKind& kind_;
  const int number_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> reverted_ = false;
  std::atomic<bool> gone_ = false;
  mutable std::atomic<int> users_ = 0;
};

StatusOr<std::vector<std::string>> FakeKind::plan(const FaultRequest& request) {
  FL_RETURN_IF_ERROR(no_plan);
  return std::vector<std::string>{"read " + request.target.cgroup, "then inject"};
}

StatusOr<std::unique_ptr<Fault>> FakeKind::apply(const FaultRequest& request) {
  FL_RETURN_IF_ERROR(no_apply);
  int number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++last_;
    state_[number] = true;
    deadlines_[number].push_back(request.deadline);
    starts_[number] = request.start;
    note(fmt::format("apply {}", number));
  }
  return std::make_unique<InForce>(*this, number);
}

StatusOr<std::vector<StateItem>> FakeKind::snapshot(const Target&) {
  const std::lock_guard lock(mutex_);
  if (!snapshots.empty()) {
    const Status answer = snapshots.front();
    snapshots.erase(snapshots.begin());
    FL_RETURN_IF_ERROR(answer);
  }
  std::vector<StateItem> items;
  if (short_snapshots > 0) {
    --short_snapshots;
  } else {
    items.push_back({.text = "somebody's own qdisc", .ours = false});
  }
  for (const auto& [number, needed] : state_) items.push_back({.text = text_of(number), .ours = true});
  return items;
}

std::vector<std::string> FakeKind::owned(const Target&) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (const auto& [number, needed] : state_) {
    if (needed) texts.push_back(text_of(number));
  }
  return texts;
}

void FakeKind::note(const std::string& event) {
  events_.push_back(event);
}

std::vector<std::string> FakeKind::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::vector<MonoTime> FakeKind::deadlines(int fault) const {
  const std::lock_guard lock(mutex_);
  const auto found = deadlines_.find(fault);
  return found == deadlines_.end() ? std::vector<MonoTime>{} : found->second;
}

MonoTime FakeKind::start(int fault) const {
  const std::lock_guard lock(mutex_);
  return starts_.at(fault);
}

std::size_t FakeKind::in_force() const {
  return in_force_;
}

std::size_t FakeKind::applied() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(last_);
}

}  // namespace faultline::testing
