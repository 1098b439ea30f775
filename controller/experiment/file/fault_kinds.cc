#include "controller/experiment/file/fault_kinds.h"

#include <algorithm>
#include <array>

#include "controller/experiment/file/fault_keys.h"
#include "controller/experiment/file/keys.h"
#include "controller/experiment/file/limits.h"
#include "controller/experiment/file/network_faults.h"
#include "controller/experiment/file/to_proto.h"
#include "controller/experiment/units.h"

namespace faultline {
namespace {

constexpr std::uint64_t kDefaultSeed = 1;

constexpr FaultKind kFaultKinds[] = {
    {"delay", &kDelayKeys, read_delay},
    {"loss", &kLossKeys, read_loss},
    {"duplicate", &kDuplicateKeys, read_duplicate},
    {"corrupt", &kCorruptKeys, read_corrupt},
    {"reorder", &kReorderKeys, read_reorder},
    {"rate", &kRateKeys, read_rate},
    {"partition", &kPartitionKeys, read_partition},
    {"reject", &kRejectKeys, read_reject},
    {"connect-error", &kConnectErrorKeys, read_connect_error},
    {"reset", &kResetKeys, read_reset},
    {"dns", &kDnsKeys, read_dns},
};

constexpr auto kFaultKindNames = [] {
  std::array<std::string_view, std::size(kFaultKinds)> names;
  std::transform(std::begin(kFaultKinds), std::end(kFaultKinds), names.begin(),
                 [](const FaultKind& kind) { return kind.name; });
  return names;
}();

constexpr Key kFaultKeyList[] = {{"name", true}, {"target", true}, {"for", true},
                                 {"seed"},       {"pulse"},        {"priority"}};
constexpr KeyTable kFaultKeys{"/$defs/fault", kFaultKeyList, kFaultKindNames};

StatusOr<v1::Pulse> read_pulse(const YamlNode& node, Nanos duration) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "pulse", kPulseKeys));
  FL_ASSIGN_OR_RETURN(const Nanos on, read_duration(fields.at("on"), "on", kPulseRange));
  FL_ASSIGN_OR_RETURN(const Nanos off, read_duration(fields.at("off"), "off", kPulseRange));
  if (on >= duration) {
    return error_at(fields.at("on").pos, "on: {} is not below the fault's {}, so it would never be off",
                    format_duration(on), format_duration(duration));
  }
  v1::Pulse pulse;
  *pulse.mutable_on() = to_proto(on);
  *pulse.mutable_off() = to_proto(off);
  return pulse;
}

}  // namespace

std::span<const FaultKind> fault_kinds() {
  return kFaultKinds;
}

const KeyTable& fault_keys() {
  return kFaultKeys;
}

std::vector<const KeyTable*> all_key_tables() {
  std::vector<const KeyTable*> tables = {
      &kExperimentKeys, &kSteadyStateKeys,   &kProbeKeys,    &kHttpKeys,         &kJsonKeys,
      &kTcpKeys,        &kToleranceKeys,     &kStepKeys,     &kFaultKeys,        &kPulseKeys,
      &kBurstsKeys,     &kNetworkFilterKeys, &kRecoveryKeys, &kStopConditionKeys};
  for (const FaultKind& kind : kFaultKinds) tables.push_back(kind.keys);
  return tables;
}

StatusOr<v1::FaultSpec> read_fault_spec(const Fields& fault, Nanos duration) {
  const FaultKind* kind = std::find_if(std::begin(kFaultKinds), std::end(kFaultKinds),
                                       [&](const FaultKind& k) { return k.name == fault.choice(); });
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(fault.at(kind->name), kind->name, *kind->keys));
  FL_ASSIGN_OR_RETURN(v1::FaultSpec spec, kind->read(fields));
  spec.set_seed(kDefaultSeed);
  if (const YamlNode* node = fault.find("seed")) {
    FL_ASSIGN_OR_RETURN(const std::uint64_t seed, read_integer(*node, "seed", 0, UINT64_MAX));
    spec.set_seed(seed);
  }
  if (const YamlNode* node = fault.find("priority")) {
    FL_ASSIGN_OR_RETURN(const std::int64_t priority,
                        read_signed(*node, "priority", -kMaxPriority, kMaxPriority));
    spec.set_priority(static_cast<std::int32_t>(priority));
  }
  if (const YamlNode* node = fault.find("pulse")) {
    FL_ASSIGN_OR_RETURN(*spec.mutable_pulse(), read_pulse(*node, duration));
  }
  return spec;
}

}  // namespace faultline
