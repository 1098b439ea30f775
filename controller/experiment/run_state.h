// The record of a run while it is being made, shared by the run's threads. All methods are thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "controller/experiment/baseline_watch.h"
#include "controller/experiment/record.h"
#include "controller/experiment/recovery_watch.h"
#include "controller/experiment/run_observer.h"
#include "controller/experiment/stop_watch.h"

namespace faultline {

class RunState {
 public:
  // `begun` holds what is known before the start. Experiment and observer must outlive this.
  RunState(const Experiment& experiment, RunRecord begun, MonoTime start, RunObserver& observer);

  MonoTime start() const { return start_; }
  // A moment of the run by the node's wall clock (as far as that is known), and back.
  google::protobuf::Timestamp node_time(Nanos offset) const;
  Nanos offset_of(const google::protobuf::Timestamp& node_time) const;
  Nanos offset() const { return mono_now() - start_; }

  // The stage of the run as a whole; while apply or revert calls are under way the phase is inject or remove.
  void enter(Phase stage);
  // The stage becomes observe; that shows from when a fault is active or the method waits.
  void begin_method();
  Phase phase() const;
  class Call {  // one apply (kInject) or revert (kRemove) call, from construction to destruction
   public:
    Call(RunState& state, Phase phase) : state_(state), phase_(phase) { state_.count_call(phase_, +1); }
    ~Call() { state_.count_call(phase_, -1); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    RunState& state_;
    Phase phase_;
  };

  // Keeps it and feeds it to the watches; may interrupt the run.
  void add_sample(const Sample& sample);

  // Ends the run early: every wait returns. The first cause is kept.
  void interrupt(Interruption cause, const std::string& detail);
  bool interrupted() const;
  // Interrupted by more than a stop condition: nobody waits for the recovery then.
  bool hurried() const;

  // Each returns at `deadline`, when what it waits for has come, or when the run is interrupted.
  void wait(MonoTime deadline);
  void wait_start(MonoTime start);  // the same, but it is not a wait of the method: the phase stays
  void wait_steady(MonoTime deadline);
  void wait_ended(std::size_t fault, MonoTime deadline);
  void wait_recovered();  // until recovered, or no longer possible; from the last removal on

  std::string why_not_steady() const;  // empty: steady

  // Faults by the index that add_fault() gave.
  std::size_t add_fault(FaultOutcome fault);
  void update_fault(std::size_t index, const std::function<void(FaultOutcome&)>& change);
  // What the agent says now; ids that are not of this run, or whose end is already known, are ignored.
  void fault_told(const v1::FaultStatus& status);
  FaultOutcome fault(std::size_t index) const;
  std::vector<std::string> ids_in_place() const;  // in force or armed: those whose leases need renewing
  bool any_effective() const;

  RunRecord finish(std::size_t samples_missed);  // closes the last phase; call once, when no thread uses this

 private:
  void count_call(Phase phase, int change);
  void refresh_phase();
  bool any_active() const;
  void interrupt_locked(Interruption cause, const std::string& detail);
  Nanos last_removal() const;

  const Experiment& experiment_;
  const MonoTime start_;
  const Nanos node_started_;  // since 1970, by the node's clock
  RunObserver& observer_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  RunRecord record_;
  Phase stage_ = Phase::kBaseline;
  bool hurried_ = false;
  int applies_ = 0;
  int reverts_ = 0;
  int waits_ = 0;
  BaselineWatch baseline_;
  StopWatch stop_;
  std::optional<RecoveryWatch> recovery_;
};

}  // namespace faultline
