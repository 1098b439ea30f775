#include "controller/experiment/runner.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "controller/experiment/baseline_watch.h"
#include "controller/experiment/judge.h"
#include "controller/experiment/lease_keeper.h"
#include "controller/experiment/method_run.h"
#include "controller/experiment/run_state.h"

namespace faultline {
namespace {

constexpr int kPollsPerHaltCheck = 4;

// Looks for what may end the run from outside.
void poll_interruptions(const std::stop_token& stop, RunState& state, const RunParts& parts) {
  for (int round = 0; !stop.stop_requested(); ++round) {
    if (const std::optional<std::string> signal = parts.signal())
      state.interrupt(Interruption::kSignal, *signal);
    if (round % kPollsPerHaltCheck == 0) {
      if (const std::optional<std::string> why = parts.halted()) state.interrupt(Interruption::kHalt, *why);
    }
    std::this_thread::sleep_for(parts.timing.poll_every);
  }
}

RunTiming within_limits(RunTiming timing, const v1::CapabilitiesResponse& node) {
  const Nanos max_lease(google::protobuf::util::TimeUtil::DurationToNanoseconds(node.max_lease()));
  if (node.has_max_lease() && max_lease < timing.lease) timing.lease = max_lease;
  // Two renewals must be able to fail before a lease ends.
  timing.renew_every = std::min(timing.renew_every, timing.lease / 4);
  return timing;
}

// True when every probe was healthy for the baseline.
bool hold_baseline(const Experiment& experiment, RunState& state, const RunTiming& timing) {
  const Nanos grace = std::max(timing.baseline_grace, BaselineWatch(experiment).slack());
  state.wait_steady(mono_now() + experiment.steady_state.baseline + grace);
  if (state.interrupted()) return false;
  const std::string why_not = state.why_not_steady();
  if (!why_not.empty()) state.interrupt(Interruption::kPrecondition, why_not);
  return why_not.empty();
}

}  // namespace

BegunRun begin_run(const Experiment& experiment, const std::string& run_id, const std::string& agent_address,
                   const Preflight& checked) {
  BegunRun begun;
  begun.start = mono_now();
  begun.record.started = wall_now();
  begun.record.id = run_id;
  begun.record.experiment = experiment.name;
  begun.record.agent = agent_address;
  begun.record.agent_version = checked.node.agent_version();
  begun.record.kernel_release = checked.node.kernel_release();
  begun.record.node_clock = checked.clock;
  return begun;
}

RunRecord run_experiment(const Experiment& experiment, const Preflight& checked, BegunRun begun,
                         RunParts parts) {
  const std::string run_id = begun.record.id;
  const RunTiming timing = within_limits(parts.timing, checked.node);
  RunState state(experiment, std::move(begun.record), begun.start, parts.observer);
  state.enter(Phase::kBaseline);
  Sampler sampler(
      std::move(parts.probes), experiment.steady_state.every, begun.start, [&state] { return state.phase(); },
      [&state](const Sample& sample) { state.add_sample(sample); });
  std::jthread poller([&](const std::stop_token& stop) { poll_interruptions(stop, state, parts); });

  if (hold_baseline(experiment, state, timing)) {
    state.begin_method();
    {
      const LeaseKeeper keeper(state, parts.agent, timing);
      run_method(experiment, checked, run_id, state, parts.agent, timing);
    }
    if (state.any_effective()) {
      state.enter(Phase::kRecover);
      if (!state.hurried()) state.wait_recovered();
    }
  }
  poller.request_stop();
  poller.join();
  sampler.stop();
  RunRecord record = state.finish(sampler.missed());
  record.judgement = judge(experiment, record);
  return record;
}

}  // namespace faultline
