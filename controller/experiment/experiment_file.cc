#include "controller/experiment/experiment_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "controller/experiment/file/fields.h"
#include "controller/experiment/file/keys.h"
#include "controller/experiment/file/limits.h"
#include "controller/experiment/file/method.h"
#include "controller/experiment/file/steady_state.h"
#include "controller/experiment/units.h"

namespace faultline {
namespace {

constexpr std::string_view kApiVersions[] = {"faultline/v1"};
constexpr std::string_view kKinds[] = {"Experiment"};
constexpr std::string_view kStopStates[] = {"degraded", "unhealthy"};

StatusOr<Recovery> read_recovery(const YamlNode& node) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "recovery", kRecoveryKeys));
  Recovery recovery;
  FL_ASSIGN_OR_RETURN(recovery.within, fields.duration("within", recovery.within, kPhaseRange));
  FL_ASSIGN_OR_RETURN(recovery.stable, fields.duration("stable", recovery.stable, kPhaseRange));
  return recovery;
}

// Whether a probe was well again in time must not hang on when its next sample happens to be due.
Status check_sampled_in_time(const Fields& file, const Experiment& experiment) {
  const Nanos every = experiment.steady_state.every;
  const Nanos within = experiment.recovery.within;
  if (every <= within) return ok_status();
  FL_ASSIGN_OR_RETURN(const Fields steady,
                      Fields::open(file.at("steadyState"), "steadyState", kSteadyStateKeys));
  if (const YamlNode* given = steady.find("every")) {
    return error_at(given->pos, "every: {} is longer than recovery.within, {}: no sample need fall into it",
                    format_duration(every), format_duration(within));
  }
  // Else `within` is given: the two defaults fit each other.
  FL_ASSIGN_OR_RETURN(const Fields recovery, Fields::open(file.at("recovery"), "recovery", kRecoveryKeys));
  return error_at(recovery.at("within").pos,
                  "within: {} is shorter than steadyState.every, {}: no sample need fall into it",
                  format_duration(within), format_duration(every));
}

StatusOr<StopCondition> read_stop_condition(const YamlNode& node, const std::vector<Probe>& probes) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "stop condition", kStopConditionKeys));
  std::vector<std::string_view> names;
  names.reserve(probes.size());
  for (const Probe& probe : probes) names.push_back(probe.name);

  StopCondition condition;
  condition.pos = fields.pos();
  FL_ASSIGN_OR_RETURN(condition.probe, read_word(fields.at("probe"), "probe", names));
  FL_ASSIGN_OR_RETURN(const std::string state, read_word(fields.at("state"), "state", kStopStates));
  condition.state = state == "degraded" ? HealthState::kDegraded : HealthState::kUnhealthy;
  FL_ASSIGN_OR_RETURN(condition.lasting, read_duration(fields.at("for"), "for", kPhaseRange));
  return condition;
}

StatusOr<std::vector<StopCondition>> read_stop_conditions(const Fields& file,
                                                          const std::vector<Probe>& probes) {
  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> items, file.list("stopConditions"));
  std::vector<StopCondition> conditions;
  for (const YamlNode& item : items) {
    FL_ASSIGN_OR_RETURN(StopCondition condition, read_stop_condition(item, probes));
    for (const StopCondition& other : conditions) {
      if (other.probe == condition.probe && other.state == condition.state) {
        return error_at(condition.pos,
                        "a stop condition for this probe and state was already given in line {}",
                        other.pos.line);
      }
    }
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

StatusOr<Experiment> read_experiment(std::string_view text) {
  FL_ASSIGN_OR_RETURN(const YamlNode root, parse_yaml(text));
  FL_ASSIGN_OR_RETURN(const Fields file, Fields::open(root, "experiment", kExperimentKeys));
  FL_RETURN_IF_ERROR(read_word(file.at("apiVersion"), "apiVersion", kApiVersions).status());
  FL_RETURN_IF_ERROR(read_word(file.at("kind"), "kind", kKinds).status());

  Experiment experiment;
  FL_ASSIGN_OR_RETURN(experiment.name, read_name(file.at("name"), "name", kMaxExperimentNameLength));
  FL_ASSIGN_OR_RETURN(experiment.description, file.text("description", ""));
  FL_ASSIGN_OR_RETURN(experiment.steady_state, read_steady_state(file.at("steadyState")));
  FL_ASSIGN_OR_RETURN(experiment.method, read_method(file));
  if (const YamlNode* recovery = file.find("recovery")) {
    FL_ASSIGN_OR_RETURN(experiment.recovery, read_recovery(*recovery));
  }
  FL_RETURN_IF_ERROR(check_sampled_in_time(file, experiment));
  FL_ASSIGN_OR_RETURN(experiment.stop_conditions, read_stop_conditions(file, experiment.steady_state.probes));
  return experiment;
}

}  // namespace

StatusOr<Experiment> parse_experiment(std::string_view text, const std::string& file) {
  if (text.size() > kMaxExperimentFileBytes) {
    return invalid_argument("{}: larger than {} bytes; is this an experiment file?", file,
                            kMaxExperimentFileBytes);
  }
  StatusOr<Experiment> experiment = read_experiment(text);
  if (!experiment.ok()) {
    return Status(experiment.status().code(), fmt::format("{}:{}", file, message_of(experiment.status())));
  }
  experiment->file = file;
  experiment->source = std::string(text);
  return experiment;
}

StatusOr<Experiment> load_experiment(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return errno_status(errno, path);
  std::string text;
  std::array<char, 1 << 16> chunk;
  // Reads at most one chunk too many, whatever the file says about its size: /dev/zero has an end here too.
  while (text.size() <= kMaxExperimentFileBytes && stream.read(chunk.data(), chunk.size()).gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) return errno_status(errno != 0 ? errno : EIO, path);
  return parse_experiment(text, path);
}

}  // namespace faultline
