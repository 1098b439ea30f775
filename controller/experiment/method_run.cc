#include "controller/experiment/method_run.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <thread>
#include <vector>

#include "controller/experiment/active_fault.h"
#include "controller/experiment/run_id.h"

namespace faultline {
namespace {

class MethodRun {
 public:
  MethodRun(const Experiment& experiment, const Preflight& checked, const std::string& run_id,
            RunState& state, AgentClient& agent, const RunTiming& timing)
      : steps_(fault_steps(experiment.method)),
        checked_(checked),
        run_id_(run_id),
        state_(state),
        agent_(agent),
        timing_(timing) {}

  // An exception here is a bug or a lack of memory or threads. It must not end the process while faults are
  // active, so it ends the run instead.
  void run_guarded(const Step& step, std::optional<Nanos> start = std::nullopt) noexcept {
    try {
      run(step, start);
    } catch (const std::exception& error) {
      state_.interrupt(Interruption::kInfrastructure, fmt::format("internal error: {}", error.what()));
    }
  }

  void run(const Block& block) {
    if (block.parallel) return run_parallel(block);
    for (const Step& step : block.steps) run_guarded(step);
  }

 private:
  // With `start`, an offset in the run, the step begins then: a fault is armed at once, others wait for it.
  void run(const Step& step, std::optional<Nanos> start) {
    if (state_.interrupted()) return;
    if (const auto* fault = std::get_if<FaultStep>(&step.what)) return run(*fault, start);
    if (start) state_.wait_start(state_.start() + *start);
    if (state_.interrupted()) return;
    if (const auto* wait = std::get_if<WaitStep>(&step.what)) {
      state_.wait(mono_now() + wait->duration);
    } else {
      run(std::get<Block>(step.what));
    }
  }

  void run(const FaultStep& step, std::optional<Nanos> start) {
    const auto index =
        static_cast<std::size_t>(std::find(steps_.begin(), steps_.end(), &step) - steps_.begin());
    ActiveFault fault(state_, agent_, timing_, step, make_fault_id(run_id_, index, step.name),
                      checked_.plans[index], start);
    fault.hold();
    fault.remove();
  }

  // Late enough for all of the block's own faults to be armed.
  Nanos common_start(const Block& block) const {
    const auto faults = std::count_if(block.steps.begin(), block.steps.end(), [](const Step& step) {
      return std::holds_alternative<FaultStep>(step.what);
    });
    return state_.offset() + timing_.arm_base + faults * timing_.arm_each;
  }

  void run_parallel(const Block& block) {
    std::optional<Nanos> start;
    if (block.together) start = common_start(block);
    std::vector<std::jthread> threads;
    try {
      for (const Step& step : block.steps) {
        threads.emplace_back([this, &step, start] { run_guarded(step, start); });
      }
    } catch (
        const std::exception& error) {  // before the threads are waited for: they would hold their faults
      state_.interrupt(Interruption::kInfrastructure, fmt::format("internal error: {}", error.what()));
    }
  }

  const std::vector<const FaultStep*> steps_;
  const Preflight& checked_;
  const std::string& run_id_;
  RunState& state_;
  AgentClient& agent_;
  const RunTiming& timing_;
};

}  // namespace

void run_method(const Experiment& experiment, const Preflight& checked, const std::string& run_id,
                RunState& state, AgentClient& agent, const RunTiming& timing) noexcept {
  try {
    MethodRun(experiment, checked, run_id, state, agent, timing).run(experiment.method);
  } catch (const std::exception& error) {
    state.interrupt(Interruption::kInfrastructure, fmt::format("internal error: {}", error.what()));
  }
}

}  // namespace faultline
