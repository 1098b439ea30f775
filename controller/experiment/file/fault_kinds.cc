#include "controller/experiment/file/fault_kinds.h"

#include <algorithm>
#include <array>

#include "controller/experiment/file/network_filter.h"
#include "controller/experiment/units.h"

namespace faultline {
namespace {

constexpr Nanos kMaxLatency = std::chrono::minutes(1);
constexpr Nanos kMaxJitter = std::chrono::seconds(2);

google::protobuf::Duration to_proto(Nanos duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / std::nano::den);
  proto.set_nanos(static_cast<int>(duration.count() % std::nano::den));
  return proto;
}

StatusOr<v1::FaultSpec> read_delay(const Fields& fields) {
  FL_ASSIGN_OR_RETURN(const Nanos latency,
                      read_duration(fields.at("latency"), "latency", {Nanos(1), kMaxLatency}));
  FL_ASSIGN_OR_RETURN(const Nanos jitter,
                      fields.duration("jitter", Nanos::zero(), {Nanos::zero(), kMaxJitter}));
  if (jitter > latency) {
    return error_at(fields.at("jitter").pos, "jitter: {} is more than the latency of {}",
                    format_duration(jitter), format_duration(latency));
  }
  v1::FaultSpec spec;
  *spec.mutable_delay()->mutable_latency() = to_proto(latency);
  *spec.mutable_delay()->mutable_jitter() = to_proto(jitter);
  FL_ASSIGN_OR_RETURN(*spec.mutable_delay()->mutable_traffic(), read_network_filter(fields.find("traffic")));
  return spec;
}

StatusOr<v1::FaultSpec> read_loss(const Fields& fields) {
  FL_ASSIGN_OR_RETURN(const double probability, read_percentage(fields.at("probability"), "probability"));
  if (probability <= 0) return error_at(fields.at("probability").pos, "probability: must be above 0%");
  std::uint64_t seed = 1;
  if (const YamlNode* node = fields.find("seed")) {
    FL_ASSIGN_OR_RETURN(seed, read_integer(*node, "seed", 0, UINT64_MAX));
  }
  v1::FaultSpec spec;
  spec.mutable_loss()->mutable_packets()->set_probability(probability);
  spec.set_seed(seed);
  FL_ASSIGN_OR_RETURN(*spec.mutable_loss()->mutable_traffic(), read_network_filter(fields.find("traffic")));
  return spec;
}

constexpr FaultKind kFaultKinds[] = {
    {"delay", &kDelayKeys, read_delay},
    {"loss", &kLossKeys, read_loss},
};

constexpr auto kFaultKindNames = [] {
  std::array<std::string_view, std::size(kFaultKinds)> names;
  std::transform(std::begin(kFaultKinds), std::end(kFaultKinds), names.begin(),
                 [](const FaultKind& kind) { return kind.name; });
  return names;
}();

constexpr Key kFaultKeyList[] = {{"name", true}, {"target", true}, {"for", true}};
constexpr KeyTable kFaultKeys{"/$defs/fault", kFaultKeyList, kFaultKindNames};

}  // namespace

std::span<const FaultKind> fault_kinds() {
  return kFaultKinds;
}

const KeyTable& fault_keys() {
  return kFaultKeys;
}

std::vector<const KeyTable*> all_key_tables() {
  std::vector<const KeyTable*> tables = {&kExperimentKeys, &kSteadyStateKeys, &kProbeKeys,
                                         &kHttpKeys,       &kJsonKeys,        &kTcpKeys,
                                         &kToleranceKeys,  &kStepKeys,        &kNetworkFilterKeys,
                                         &kFaultKeys,      &kRecoveryKeys,    &kStopConditionKeys};
  for (const FaultKind& kind : kFaultKinds) tables.push_back(kind.keys);
  return tables;
}

StatusOr<v1::FaultSpec> read_fault_spec(const Fields& fault) {
  const FaultKind* kind = std::find_if(std::begin(kFaultKinds), std::end(kFaultKinds),
                                       [&](const FaultKind& k) { return k.name == fault.choice(); });
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(fault.at(kind->name), kind->name, *kind->keys));
  return kind->read(fields);
}

}  // namespace faultline
