// Which faults of an experiment may meet on the same packets, and which of them has these then: the one with
// the higher priority, else the one applied first. Told before a run, from the file alone: what names and
// targets stand for is not known here. Pure.
#pragma once

#include <string>
#include <vector>

#include "controller/experiment/model.h"

namespace faultline {

struct Overlap {
  const FaultStep* first = nullptr;  // in file order
  const FaultStep* second = nullptr;
  bool certain = false;               // else they may meet: it depends on what names and targets stand for
  const FaultStep* winner = nullptr;  // nullptr: whichever is applied first
  std::string text;                   // all of that in words, one line
};

// Every pair of fault steps that may be in force at the same time (they stand in different branches of a
// block whose steps go on side by side), of which the targets may be the same and the filters may match the
// same packet. In file order. The steps are the experiment's.
std::vector<Overlap> overlaps(const Experiment& experiment);

}  // namespace faultline
