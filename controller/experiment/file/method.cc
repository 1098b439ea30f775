#include "controller/experiment/file/method.h"

#include <algorithm>
#include <map>

#include "controller/experiment/file/fault_kinds.h"
#include "controller/experiment/file/keys.h"
#include "controller/experiment/file/limits.h"
#include "controller/experiment/file/target.h"

namespace faultline {
namespace {

// Reads steps, and knows what must hold across all of them.
class MethodReader {
 public:
  StatusOr<Block> read_block(std::span<const YamlNode> items, std::string_view kind) {
    Block block;
    block.together = kind == "together";
    block.parallel = kind == "parallel" || block.together;
    for (const YamlNode& item : items) {
      FL_ASSIGN_OR_RETURN(Step step, read_step(item));
      block.steps.push_back(std::move(step));
    }
    return block;
  }

  static bool has_fault_inside(const Block& block) {
    return std::any_of(block.steps.begin(), block.steps.end(),
                       [](const Step& step) { return std::holds_alternative<FaultStep>(step.what); });
  }

  bool has_fault() const { return !fault_lines_.empty(); }

 private:
  StatusOr<Step> read_step(const YamlNode& node) {
    FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "step", kStepKeys));
    if (++steps_ > kMaxSteps) return error_at(node.pos, "method: more than {} steps", kMaxSteps);
    if (fields.choice() == "fault") {
      FL_ASSIGN_OR_RETURN(FaultStep fault, read_fault(fields.at("fault")));
      return Step{std::move(fault)};
    }
    if (fields.choice() == "wait") {
      FL_ASSIGN_OR_RETURN(const Nanos wait, read_duration(fields.at("wait"), "wait", kPhaseRange));
      return Step{WaitStep{wait}};
    }
    FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> items, fields.list(fields.choice()));
    FL_ASSIGN_OR_RETURN(Block block, read_block(items, fields.choice()));
    if (block.together && !has_fault_inside(block)) {
      return error_at(fields.at("together").pos,
                      "together: none of its steps is a fault that could be armed");
    }
    return Step{std::move(block)};
  }

  StatusOr<FaultStep> read_fault(const YamlNode& node) {
    FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "fault", fault_keys()));
    FaultStep fault;
    fault.pos = fields.pos();
    FL_ASSIGN_OR_RETURN(fault.name, read_name(fields.at("name"), "name", kMaxNameLength));
    const auto [same, added] = fault_lines_.emplace(fault.name, fault.pos.line);
    if (!added) {
      return error_at(fault.pos, "fault '{}' was already given in line {}", fault.name, same->second);
    }
    fault.target_pos = fields.at("target").pos;
    FL_ASSIGN_OR_RETURN(fault.target, read_text(fields.at("target"), "target"));
    if (const Status shape = check_target(fault.target); !shape.ok()) {
      return error_at(fault.target_pos, "target: {}", message_of(shape));
    }
    FL_ASSIGN_OR_RETURN(fault.duration, read_duration(fields.at("for"), "for", kFaultRange));
    fault.kind = fields.choice();
    FL_ASSIGN_OR_RETURN(fault.spec, read_fault_spec(fields, fault.duration));
    return fault;
  }

  std::map<std::string, int> fault_lines_;
  std::size_t steps_ = 0;
};

}  // namespace

StatusOr<Block> read_method(const Fields& experiment) {
  MethodReader reader;
  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> items, experiment.list("method"));
  FL_ASSIGN_OR_RETURN(Block block, reader.read_block(items, "serial"));
  if (!reader.has_fault()) {
    return error_at(experiment.at("method").pos, "method: holds no fault, so there is nothing to try");
  }
  return block;
}

}  // namespace faultline
