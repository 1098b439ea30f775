#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <nlohmann/json.hpp>

#include "common/version.h"
#include "controller/report/format.h"
#include "controller/report/report.h"

namespace faultline {
namespace {

using Json = nlohmann::ordered_json;
using google::protobuf::util::TimeUtil;

std::string dumped(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

template <typename Lines>
Json lines_json(const Lines& lines) {
  Json array = Json::array();
  for (const std::string& line : lines) array.push_back(line);
  return array;
}

Json time_json(const std::optional<Nanos>& time) {
  return time ? Json(time->count()) : Json(nullptr);
}

Json wall_json(bool known, const google::protobuf::Timestamp& time) {
  if (!known) return nullptr;
  return iso8601(WallTime(Nanos(TimeUtil::TimestampToNanoseconds(time))));
}

Json interval_json(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return {{"earliest_ns", interval->earliest.count()}, {"latest_ns", time_json(interval->latest)}};
}

// In protobuf's JSON mapping with the field names of fault.proto, so that a new kind needs no line here.
Json spec_json(const v1::FaultSpec& spec) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(spec, &text, options).ok()) return nullptr;
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_discarded() ? Json(nullptr) : json;
}

Json achieved_json(const v1::Achieved& value) {
  Json json{{"name", value.name()}, {"unit", value.unit()}, {"requested", value.requested()}};
  const bool measured = value.samples() > 0;
  json["median"] = measured ? Json(value.median()) : Json(nullptr);
  json["p05"] = measured ? Json(value.p05()) : Json(nullptr);
  json["p95"] = measured ? Json(value.p95()) : Json(nullptr);
  json["samples"] = value.samples();
  const bool judged = measured && (value.tolerated_low() != 0 || value.tolerated_high() != 0);
  json["tolerated_low"] = judged ? Json(value.tolerated_low()) : Json(nullptr);
  json["tolerated_high"] = judged ? Json(value.tolerated_high()) : Json(nullptr);
  return json;
}

Json fault_json(const Experiment& experiment, const FaultOutcome& fault) {
  const v1::FaultStatus& status = fault.status;
  Json json{{"name", fault.name}, {"id", fault.id}};
  for (const FaultStep* step : fault_steps(experiment.method)) {
    if (step->name != fault.name) continue;
    json["kind"] = step->kind;
    json["target"] = step->target;
    json["duration_ns"] = step->duration.count();
    json["spec"] = spec_json(step->spec);
  }
  json["plan"] = {{"resolved_target", fault.plan.resolved_target()},
                  {"mechanism", fault.plan.mechanism()},
                  {"steps", lines_json(fault.plan.steps())}};
  json["planned_start_ns"] = time_json(fault.planned_start);
  json["effective_at_ns"] = time_json(fault.effective_at);
  json["effective_at"] = wall_json(status.has_effective_at(), status.effective_at());
  json["removed_at_ns"] = time_json(fault.removed_at);
  json["removed_at"] = wall_json(status.has_ended_at(), status.ended_at());
  json["resolved_target"] = status.resolved_target();
  json["mechanism"] = status.mechanism();
  json["state"] = enum_word(v1::FaultState_Name(status.state()), "FAULT_STATE_");
  json["end_reason"] = enum_word(v1::EndReason_Name(status.end_reason()), "END_REASON_");
  json["end_detail"] = status.end_detail();
  json["counters"] = {{"evaluated", status.counters().evaluated()},
                      {"matched", status.counters().matched()},
                      {"injected", status.counters().injected()}};
  json["achieved"] = Json::array();
  for (const v1::Achieved& value : status.achieved()) json["achieved"].push_back(achieved_json(value));
  json["residue_checked"] = status.residue_checked();
  json["residue"] = lines_json(status.residue());
  json["error"] = fault.error;
  return json;
}

Json probe_json(const ProbeSummary& probe) {
  return {{"probe", probe.probe},
          {"samples", probe.samples},
          {"degraded_share", probe.degraded_share},
          {"unhealthy_share", probe.unhealthy_share},
          {"time_to_detect", interval_json(probe.time_to_detect)},
          {"time_to_recover", interval_json(probe.time_to_recover)}};
}

Json sample_json(const Experiment& experiment, const Sample& sample) {
  const std::vector<Probe>& probes = experiment.steady_state.probes;
  return {
      {"probe", sample.probe < probes.size() ? probes[sample.probe].name : fmt::format("#{}", sample.probe)},
      {"sent_at_ns", sample.sent_at.count()},
      {"latency_ns", sample.latency.count()},
      {"phase", to_string(sample.phase)},
      {"state", to_string(sample.state)},
      {"detail", sample.detail}};
}

Json clock_json(const std::optional<NodeClock>& clock) {
  if (!clock) return nullptr;
  return {{"offset_ns", clock->offset.count()}, {"uncertainty_ns", clock->uncertainty.count()}};
}

Json run_json(const RunRecord& run) {
  return {{"id", run.id},
          {"started_at", iso8601(run.started)},
          {"duration_ns", run.duration.count()},
          {"agent",
           {{"address", run.agent},
            {"version", run.agent_version},
            {"kernel_release", run.kernel_release},
            {"clock", clock_json(run.node_clock)}}},
          {"interruption", {{"cause", to_string(run.interruption)}, {"detail", run.interruption_detail}}}};
}

template <typename Items, typename ToJson>
Json array_of(const Items& items, ToJson to_json) {
  Json array = Json::array();
  for (const auto& item : items) array.push_back(to_json(item));
  return array;
}

// Indented, but with one element of `samples` a line: there are thousands.
std::string laid_out(const Json& journal) {
  std::string out = "{";
  for (const auto& [key, value] : journal.items()) {
    out += fmt::format("{}\n  {}: ", out.size() > 1 ? "," : "", dumped(key, -1));
    if (key == "samples" && !value.empty()) {
      const char* separator = "[\n    ";
      for (const Json& sample : value) {
        out += separator + dumped(sample, -1);
        separator = ",\n    ";
      }
      out += "\n  ]";
    } else {
      for (char c : dumped(value, 2)) {
        out += c;
        if (c == '\n') out += "  ";  // only layout: a line break inside a string is written as \n
      }
    }
  }
  return out + "\n}\n";
}

}  // namespace

std::string journal_json(const Experiment& experiment, const RunRecord& run) {
  const Judgement& judgement = run.judgement;
  Json journal;
  journal["schema_version"] = kJournalSchemaVersion;
  journal["faultline_version"] = kVersion;
  journal["run"] = run_json(run);
  journal["experiment"] = {{"name", experiment.name},
                           {"description", experiment.description},
                           {"file", experiment.file},
                           {"source", experiment.source}};
  journal["judgement"] = {{"outcome", to_string(judgement.outcome)},
                          {"exit_code", judgement.exit_code},
                          {"reason", judgement.reason}};
  journal["findings"] = array_of(judgement.findings, [](const Finding& finding) -> Json {
    return {{"check", finding.check}, {"result", to_string(finding.result)}, {"message", finding.message}};
  });
  journal["faults"] =
      array_of(run.faults, [&](const FaultOutcome& fault) { return fault_json(experiment, fault); });
  journal["probes"] = array_of(judgement.probes, probe_json);
  journal["phases"] = array_of(run.phases, [](const PhaseSpan& span) -> Json {
    return {{"phase", to_string(span.phase)},
            {"start_at_ns", span.start_at.count()},
            {"end_at_ns", span.end_at.count()}};
  });
  journal["samples_missed"] = run.samples_missed;
  journal["samples"] =
      array_of(run.samples, [&](const Sample& sample) { return sample_json(experiment, sample); });
  return laid_out(journal);
}

}  // namespace faultline
