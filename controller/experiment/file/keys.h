// Every mapping of an experiment file and the keys it takes: what the readers check against, and what
// docs/experiment.schema.json is tested against. Those inside a fault are in
// fault_keys.h.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "controller/experiment/file/fields.h"

namespace faultline {

inline constexpr Key kExperimentKeyList[] = {{"apiVersion", true}, {"kind", true},        {"name", true},
                                             {"description"},      {"steadyState", true}, {"method", true},
                                             {"recovery"},         {"stopConditions"}};
inline constexpr KeyTable kExperimentKeys{"", kExperimentKeyList};

inline constexpr Key kSteadyStateKeyList[] = {{"every"}, {"baseline"}, {"probes", true}};
inline constexpr KeyTable kSteadyStateKeys{"/$defs/steadyState", kSteadyStateKeyList};

inline constexpr Key kProbeKeyList[] = {{"name", true}, {"timeout"}, {"degradedAbove"}, {"tolerance"}};
inline constexpr std::string_view kProbeChecks[] = {"http", "tcp"};
inline constexpr KeyTable kProbeKeys{"/$defs/probe", kProbeKeyList, kProbeChecks};

inline constexpr Key kHttpKeyList[] = {{"url", true}, {"status"}, {"json"}};
inline constexpr KeyTable kHttpKeys{"/$defs/http", kHttpKeyList};

inline constexpr Key kJsonKeyList[] = {{"pointer", true}, {"healthy", true}, {"degraded"}};
inline constexpr KeyTable kJsonKeys{"/$defs/json", kJsonKeyList};

inline constexpr Key kTcpKeyList[] = {{"address", true}};
inline constexpr KeyTable kTcpKeys{"/$defs/tcp", kTcpKeyList};

inline constexpr Key kToleranceKeyList[] = {{"degraded"}, {"unhealthy"}};
inline constexpr KeyTable kToleranceKeys{"/$defs/tolerance", kToleranceKeyList};

inline constexpr std::string_view kStepKinds[] = {"fault", "wait", "parallel", "serial", "together"};
inline constexpr KeyTable kStepKeys{"/$defs/step", {}, kStepKinds};

inline constexpr Key kRecoveryKeyList[] = {{"within"}, {"stable"}};
inline constexpr KeyTable kRecoveryKeys{"/$defs/recovery", kRecoveryKeyList};

inline constexpr Key kStopConditionKeyList[] = {{"probe", true}, {"state", true}, {"for", true}};
inline constexpr KeyTable kStopConditionKeys{"/$defs/stopCondition", kStopConditionKeyList};

}  // namespace faultline
