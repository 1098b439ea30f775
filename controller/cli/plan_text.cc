#include "controller/cli/plan_text.h"

#include <algorithm>
#include <vector>

#include "controller/cli/traffic_text.h"
#include "controller/experiment/overlap.h"
#include "controller/experiment/record.h"
#include "controller/experiment/units.h"
#include "controller/report/format.h"

namespace faultline {
namespace {

std::string check_text(const Probe& probe) {
  if (const auto* http = std::get_if<HttpCheck>(&probe.check)) return "http " + http->url;
  const auto& tcp = std::get<TcpCheck>(probe.check);
  return fmt::format("tcp {} port {}", tcp.host, tcp.port);
}

const char* order_of(const Block& block) {
  if (block.together) return "at the same time, armed first and started together:";
  return block.parallel ? "at the same time:" : "one after the other:";
}

class MethodText {
 public:
  MethodText(const Experiment& experiment, const Preflight& checked)
      : steps_(fault_steps(experiment.method)), checked_(checked) {}

  std::string block(const Block& block, const std::string& indent) const {
    std::string text;
    for (const Step& step : block.steps) text += this->step(step, indent);
    return text;
  }

 private:
  std::string step(const Step& step, const std::string& indent) const {
    if (const auto* wait = std::get_if<WaitStep>(&step.what)) {
      return fmt::format("{}wait {}\n", indent, format_duration(wait->duration));
    }
    if (const auto* inner = std::get_if<Block>(&step.what)) {
      return fmt::format("{}{}\n{}", indent, order_of(*inner), block(*inner, indent + "  "));
    }
    return fault(std::get<FaultStep>(step.what), indent);
  }

  std::string fault(const FaultStep& step, const std::string& indent) const {
    const auto at = static_cast<std::size_t>(std::find(steps_.begin(), steps_.end(), &step) - steps_.begin());
    const v1::Plan& plan = checked_.plans[at];
    std::string text =
        fmt::format("{0}fault {1}: {2} for {3}\n{0}  target: {4} -> {5}\n{0}  {6}\n{0}  mechanism: {7}\n",
                    indent, step.name, step.kind, format_duration(step.duration), step.target,
                    plan.resolved_target(), traffic_text(step.spec), plan.mechanism());
    for (const std::string& line : plan.steps()) text += fmt::format("{}    - {}\n", indent, line);
    return text;
  }

  const std::vector<const FaultStep*> steps_;
  const Preflight& checked_;
};

}  // namespace

std::string plan_text(const Experiment& experiment, const Preflight& checked,
                      const std::string& agent_address) {
  const SteadyState& steady = experiment.steady_state;
  std::string text = fmt::format(
      "experiment: {} ({})\nnode: kernel {}, agent {} at {}{}\nbaseline: every probe healthy for {}\n",
      experiment.name, experiment.file, checked.node.kernel_release(), checked.node.agent_version(),
      agent_address, checked.clock ? ", clock " + clock_text(*checked.clock) : "",
      format_duration(steady.baseline));
  for (const Probe& probe : steady.probes) {
    text += fmt::format("  probe {}: {}, every {}, timeout {}\n", probe.name, check_text(probe),
                        format_duration(steady.every), format_duration(probe.timeout));
  }
  text += "method:\n" + MethodText(experiment, checked).block(experiment.method, "  ");
  for (const Overlap& overlap : overlaps(experiment)) text += fmt::format("overlap: {}\n", overlap.text);
  text += fmt::format("recovery: within {}, stable for {}\n", format_duration(experiment.recovery.within),
                      format_duration(experiment.recovery.stable));
  for (const StopCondition& stop : experiment.stop_conditions) {
    text += fmt::format("stops early: {} {} or worse for {}\n", stop.probe, to_string(stop.state),
                        format_duration(stop.lasting));
  }
  return text + "Nothing was touched.\n";
}

}  // namespace faultline
