#include "controller/experiment/model.h"

namespace faultline {
namespace {

std::vector<const FaultStep*> collect(const Block& block, bool together_only,
                                      std::vector<const FaultStep*> found) {
  for (const Step& step : block.steps) {
    if (const auto* fault = std::get_if<FaultStep>(&step.what)) {
      if (block.together || !together_only) found.push_back(fault);
    } else if (const auto* inner = std::get_if<Block>(&step.what)) {
      found = collect(*inner, together_only, std::move(found));
    }
  }
  return found;
}

}  // namespace

std::vector<const FaultStep*> fault_steps(const Block& method) {
  return collect(method, false, {});
}

std::vector<const FaultStep*> together_steps(const Block& method) {
  return collect(method, true, {});
}

}  // namespace faultline
