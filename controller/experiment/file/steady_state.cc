#include "controller/experiment/file/steady_state.h"

#include <algorithm>

#include "controller/experiment/file/addresses.h"
#include "controller/experiment/file/keys.h"
#include "controller/experiment/file/limits.h"
#include "controller/experiment/units.h"

namespace faultline {
namespace {

StatusOr<std::vector<std::string>> read_texts(const Fields& fields, std::string_view key) {
  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> items, fields.list(key));
  std::vector<std::string> texts;
  for (const YamlNode& item : items) {
    FL_ASSIGN_OR_RETURN(std::string text, read_text(item, key));
    texts.push_back(std::move(text));
  }
  return texts;
}

StatusOr<JsonExpectation> read_json(const YamlNode& node) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "json", kJsonKeys));
  JsonExpectation json;
  FL_ASSIGN_OR_RETURN(json.pointer, read_text(fields.at("pointer"), "pointer"));
  if (const Status shape = check_json_pointer(json.pointer); !shape.ok()) {
    return error_at(fields.at("pointer").pos, "pointer: {}", message_of(shape));
  }
  FL_ASSIGN_OR_RETURN(json.healthy, read_texts(fields, "healthy"));
  FL_ASSIGN_OR_RETURN(json.degraded, read_texts(fields, "degraded"));
  for (const std::string& value : json.degraded) {
    if (std::find(json.healthy.begin(), json.healthy.end(), value) != json.healthy.end()) {
      return error_at(fields.at("degraded").pos, "degraded: '{}' is also under healthy", value);
    }
  }
  return json;
}

StatusOr<HttpCheck> read_http(const YamlNode& node) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "http", kHttpKeys));
  HttpCheck http;
  FL_ASSIGN_OR_RETURN(http.url, read_text(fields.at("url"), "url"));
  if (const Status shape = check_url(http.url); !shape.ok()) {
    return error_at(fields.at("url").pos, "url: {}", message_of(shape));
  }
  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> statuses, fields.list("status"));
  if (!statuses.empty()) http.status.clear();
  for (const YamlNode& item : statuses) {
    FL_ASSIGN_OR_RETURN(const std::uint64_t status, read_integer(item, "status", 100, 599));
    http.status.push_back(static_cast<int>(status));
  }
  if (const YamlNode* json = fields.find("json")) {
    FL_ASSIGN_OR_RETURN(http.json, read_json(*json));
  }
  return http;
}

StatusOr<TcpCheck> read_tcp(const YamlNode& node) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "tcp", kTcpKeys));
  FL_ASSIGN_OR_RETURN(const std::string address, read_text(fields.at("address"), "address"));
  const StatusOr<HostPort> parsed = parse_host_port(address);
  if (!parsed.ok()) {
    return error_at(fields.at("address").pos, "address: {}", message_of(parsed.status()));
  }
  return TcpCheck{parsed->host, parsed->port};
}

StatusOr<Tolerance> read_tolerance(const YamlNode& node) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "tolerance", kToleranceKeys));
  Tolerance tolerance;
  FL_ASSIGN_OR_RETURN(tolerance.degraded, fields.percentage("degraded", tolerance.degraded));
  FL_ASSIGN_OR_RETURN(tolerance.unhealthy, fields.percentage("unhealthy", tolerance.unhealthy));
  return tolerance;
}

StatusOr<Probe> read_probe(const YamlNode& node) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "probe", kProbeKeys));
  Probe probe;
  probe.pos = fields.pos();
  FL_ASSIGN_OR_RETURN(probe.name, read_name(fields.at("name"), "name", kMaxNameLength));
  if (fields.choice() == "http") {
    FL_ASSIGN_OR_RETURN(probe.check, read_http(fields.at("http")));
  } else {
    FL_ASSIGN_OR_RETURN(probe.check, read_tcp(fields.at("tcp")));
  }
  FL_ASSIGN_OR_RETURN(probe.timeout, fields.duration("timeout", probe.timeout, kTimeoutRange));
  if (const YamlNode* above = fields.find("degradedAbove")) {
    FL_ASSIGN_OR_RETURN(probe.degraded_above,
                        read_duration(*above, "degradedAbove", {Nanos(1), Nanos::max()}));
    if (*probe.degraded_above >= probe.timeout) {
      return error_at(above->pos, "degradedAbove: {} is not below the timeout of {}, so it could never apply",
                      format_duration(*probe.degraded_above), format_duration(probe.timeout));
    }
  }
  if (const YamlNode* tolerance = fields.find("tolerance")) {
    FL_ASSIGN_OR_RETURN(probe.tolerance, read_tolerance(*tolerance));
  }
  return probe;
}

}  // namespace

StatusOr<SteadyState> read_steady_state(const YamlNode& node) {
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(node, "steadyState", kSteadyStateKeys));
  SteadyState steady;
  FL_ASSIGN_OR_RETURN(steady.every, fields.duration("every", steady.every, kEveryRange));
  FL_ASSIGN_OR_RETURN(steady.baseline, fields.duration("baseline", steady.baseline, kPhaseRange));
  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> probes, fields.list("probes"));
  if (probes.size() > kMaxProbes) {
    return error_at(probes[kMaxProbes].pos, "probes: more than {}", kMaxProbes);
  }
  for (const YamlNode& item : probes) {
    FL_ASSIGN_OR_RETURN(Probe probe, read_probe(item));
    for (const Probe& other : steady.probes) {
      if (other.name == probe.name) {
        return error_at(probe.pos, "probe '{}' was already given in line {}", probe.name, other.pos.line);
      }
    }
    steady.probes.push_back(std::move(probe));
  }
  return steady;
}

}  // namespace faultline
