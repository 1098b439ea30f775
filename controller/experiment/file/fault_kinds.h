// The fault kinds that an experiment file can name. A kind's name is the JSON name of its field in
// FaultSpec's oneof. To add one: its keys in fault_keys.h, a function that reads them, and a line in the
// table in fault_kinds.cc.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "controller/experiment/file/fields.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

struct FaultKind {
  std::string_view name;
  const KeyTable* keys;
  StatusOr<v1::FaultSpec> (*read)(const Fields& fields);
};

std::span<const FaultKind> fault_kinds();

// The keys of a `fault` mapping: its own, and exactly one of the kinds.
const KeyTable& fault_keys();

// Every table of the file, fault_keys() among them.
std::vector<const KeyTable*> all_key_tables();

// Reads the kind that `fault`, opened with fault_keys(), names, and what is beside it: seed, pulse, priority.
// `duration` is the fault's.
StatusOr<v1::FaultSpec> read_fault_spec(const Fields& fault, Nanos duration);

}  // namespace faultline
