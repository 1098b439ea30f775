// An experiment file with one fault, whose keys beside name, target and `for` (10 s) are given as flow YAML:
// for tests of what a fault can say. The keys begin in line 6, column 3.
#pragma once

#include <string>

#include "controller/experiment/experiment_file.h"

namespace faultline {

inline StatusOr<Experiment> parse_fault(const std::string& keys) {
  return parse_experiment(
      "apiVersion: faultline/v1\n"
      "kind: Experiment\n"
      "name: one\n"
      "steadyState: { probes: [ { name: p, tcp: { address: 'h:1' } } ] }\n"
      "method: [ { fault: { name: f, target: 'cgroup:/x', for: 10s,\n"
      "  " +
          keys + "\n} } ]\n",
      "f.yaml");
}

// "" where it is taken, else the error.
inline std::string refusal_of(const std::string& keys) {
  const StatusOr<Experiment> read = parse_fault(keys);
  return read.ok() ? "" : message_of(read.status());
}

inline v1::FaultSpec spec_of(const std::string& keys) {
  return fault_steps(parse_fault(keys).value().method)[0]->spec;
}

}  // namespace faultline
