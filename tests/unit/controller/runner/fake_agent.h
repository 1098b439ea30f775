// An agent in memory: faults with leases and ends, and whatever trouble a test asks for.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "common/clock.h"
#include "controller/clients/agent_client.h"

namespace faultline::testing {

class FakeAgent final : public AgentClient {
 public:
  StatusOr<v1::CapabilitiesResponse> capabilities() override;
  StatusOr<v1::ApplyResponse> apply(const v1::ApplyRequest& request) override;
  StatusOr<v1::RenewResponse> renew(const v1::RenewRequest& request) override;
  StatusOr<v1::RevertResponse> revert(const v1::RevertRequest& request) override;
  StatusOr<v1::ListResponse> list() override;
  StatusOr<NodeClock> clock() override;
  Status watch(const v1::WatchRequest& request, const std::stop_token& stop,
               const std::function<void(const v1::WatchResponse&)>& on_update) override;

  // Ends every active fault as if the agent did so by itself.
  void end_all(v1::EndReason reason, const std::string& detail);

  std::size_t active();  // now, leases and hard ends honoured
  std::size_t armed();
  std::size_t most_active() const { return most_active_; }
  std::size_t applied() const { return applied_; }
  std::size_t dry_runs() const { return dry_runs_; }

  // Trouble. Answers of apply by the fault's name, the part of its id after the last dot.
  std::map<std::string, Status> refuse;       // and the fault is not put in place
  std::map<std::string, Status> refuse_dry;   // only in a dry run
  std::map<std::string, Status> lose_answer;  // although the fault is put in place
  std::map<std::string, bool> throws;
  std::atomic<bool> lost = false;           // every call is Unavailable
  std::atomic<int> revert_hiccups = 0;      // so many reverts are Unavailable
  std::atomic<std::uint64_t> injected = 5;  // what every fault's counter says
  std::vector<std::string> residue;
  Nanos clock_skew{};       // of the agent's wall clock
  bool tells_clock = true;  // and by how much it is wrong
  Nanos arming_takes{};     // so long an apply with start_at takes

 private:
  struct Fault {
    v1::FaultStatus status;
    MonoTime start;
    MonoTime lease_end;
    MonoTime hard_end;
  };
  void expire();  // locked, and so are these
  void begin(Fault& fault);
  std::size_t count(v1::FaultState state) const;
  void end(Fault& fault, v1::EndReason reason, const std::string& detail);
  google::protobuf::Timestamp wall() const;

  std::mutex mutex_;
  std::map<std::string, Fault> faults_;
  std::atomic<std::size_t> most_active_ = 0;
  std::atomic<std::size_t> applied_ = 0;
  std::atomic<std::size_t> dry_runs_ = 0;
};

}  // namespace faultline::testing
