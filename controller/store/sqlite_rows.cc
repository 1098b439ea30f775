#include "controller/store/sqlite_rows.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace faultline {
namespace {

using SQLite::Statement;

std::optional<Nanos> time_at(const Statement& row, int column) {
  const SQLite::Column value = row.getColumn(column);
  if (value.isNull()) return std::nullopt;
  return Nanos(value.getInt64());
}

// SQLite keeps a NaN as NULL.
double real_at(const Statement& row, int column) {
  const SQLite::Column value = row.getColumn(column);
  return value.isNull() ? std::numeric_limits<double>::quiet_NaN() : value.getDouble();
}

std::uint64_t count_at(const Statement& row, int column) {
  return static_cast<std::uint64_t>(row.getColumn(column).getInt64());
}

std::string lines_as_json(const google::protobuf::RepeatedPtrField<std::string>& lines) {
  nlohmann::json array = nlohmann::json::array();
  for (const std::string& line : lines) array.push_back(line);
  return array.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> lines_from_json(const std::string& text) {
  std::vector<std::string> lines;
  const nlohmann::json array = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  for (const nlohmann::json& line : array) {
    if (line.is_string()) lines.push_back(line.get<std::string>());
  }
  return lines;
}

FindingResult finding_result(const std::string& text) {
  for (FindingResult result : {FindingResult::kHeld, FindingResult::kViolated}) {
    if (text == to_string(result)) return result;
  }
  return FindingResult::kUnknown;
}

std::optional<Interval> interval_at(const Statement& row, int column) {
  const std::optional<Nanos> earliest = time_at(row, column);
  if (!earliest) return std::nullopt;
  return Interval{*earliest, time_at(row, column + 1)};
}

void insert_achieved(SQLite::Database& db, const std::string& run_id, int fault_position,
                     const v1::FaultStatus& status) {
  for (int k = 0; k < status.achieved_size(); ++k) {
    const v1::Achieved& value = status.achieved(k);
    Statement insert(db, "INSERT INTO fault_achieved VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const bool judged = value.tolerated_low() != 0 || value.tolerated_high() != 0;
    bind_all(insert, run_id, fault_position, k, value.name(), value.unit(), value.requested(), value.median(),
             value.p05(), value.p95(), value.samples(),
             judged ? std::optional(value.tolerated_low()) : std::nullopt,
             judged ? std::optional(value.tolerated_high()) : std::nullopt);
    insert.exec();
  }
}

std::vector<v1::Achieved> select_achieved(SQLite::Database& db, const std::string& run_id,
                                          int fault_position) {
  Statement select(db,
                   "SELECT name, unit, requested, median, p05, p95, samples, tolerated_low, tolerated_high "
                   "FROM fault_achieved "
                   "WHERE run_id = ? AND fault_position = ? ORDER BY position");
  bind_all(select, run_id, fault_position);
  std::vector<v1::Achieved> values;
  while (select.executeStep()) {
    v1::Achieved& value = values.emplace_back();
    value.set_name(select.getColumn(0).getString());
    value.set_unit(select.getColumn(1).getString());
    value.set_requested(real_at(select, 2));
    value.set_median(real_at(select, 3));
    value.set_p05(real_at(select, 4));
    value.set_p95(real_at(select, 5));
    value.set_samples(count_at(select, 6));
    if (select.getColumn(7).isNull()) continue;
    value.set_tolerated_low(real_at(select, 7));
    value.set_tolerated_high(real_at(select, 8));
  }
  return values;
}

}  // namespace

void insert_findings(SQLite::Database& db, const RunRecord& run) {
  int position = 0;
  for (const Finding& finding : run.judgement.findings) {
    Statement insert(db, "INSERT INTO findings VALUES (?, ?, ?, ?, ?)");
    bind_all(insert, run.id, position++, finding.check, to_string(finding.result), finding.message);
    insert.exec();
  }
}

void insert_faults(SQLite::Database& db, const RunRecord& run) {
  int position = 0;
  for (const FaultOutcome& fault : run.faults) {
    const v1::FaultStatus& status = fault.status;
    // A fault that never became active has only its plan.
    const auto told = [](const std::string& by_status, const std::string& by_plan) {
      return by_status.empty() ? by_plan : by_status;
    };
    Statement insert(db, "INSERT INTO faults VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    bind_all(insert, run.id, position, fault.name, fault.id, told(status.kind(), fault.plan.kind()),
             status.target(), told(status.resolved_target(), fault.plan.resolved_target()),
             told(status.mechanism(), fault.plan.mechanism()), fault.effective_at, fault.removed_at,
             status.counters().evaluated(), status.counters().matched(), status.counters().injected(),
             status.residue_checked(), lines_as_json(status.residue()), fault.error);
    insert.exec();
    insert_achieved(db, run.id, position, status);
    ++position;
  }
}

void insert_probe_summaries(SQLite::Database& db, const RunRecord& run) {
  const auto earliest = [](const std::optional<Interval>& interval) {
    return interval ? std::optional(interval->earliest) : std::nullopt;
  };
  const auto latest = [](const std::optional<Interval>& interval) {
    return interval ? interval->latest : std::nullopt;
  };
  int position = 0;
  for (const ProbeSummary& probe : run.judgement.probes) {
    Statement insert(db, "INSERT INTO probe_summaries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    bind_all(insert, run.id, position++, probe.probe, probe.samples, probe.degraded_share,
             probe.unhealthy_share, earliest(probe.time_to_detect), latest(probe.time_to_detect),
             earliest(probe.time_to_recover), latest(probe.time_to_recover));
    insert.exec();
  }
}

std::vector<Finding> select_findings(SQLite::Database& db, const std::string& run_id) {
  Statement select(db, "SELECT check_name, result, message FROM findings WHERE run_id = ? ORDER BY position");
  bind_all(select, run_id);
  std::vector<Finding> findings;
  while (select.executeStep()) {
    findings.push_back({select.getColumn(0).getString(), finding_result(select.getColumn(1).getString()),
                        select.getColumn(2).getString()});
  }
  return findings;
}

std::vector<StoredFault> select_faults(SQLite::Database& db, const std::string& run_id) {
  Statement select(
      db,
      "SELECT position, name, agent_fault_id, kind, target, resolved_target, mechanism, "
      "effective_at_ns, removed_at_ns, evaluated, matched, injected, residue_checked, residue, error "
      "FROM faults WHERE run_id = ? ORDER BY position");
  bind_all(select, run_id);
  std::vector<StoredFault> faults;
  while (select.executeStep()) {
    StoredFault& fault = faults.emplace_back();
    fault.name = select.getColumn(1).getString();
    fault.id = select.getColumn(2).getString();
    fault.kind = select.getColumn(3).getString();
    fault.target = select.getColumn(4).getString();
    fault.resolved_target = select.getColumn(5).getString();
    fault.mechanism = select.getColumn(6).getString();
    fault.effective_at = time_at(select, 7);
    fault.removed_at = time_at(select, 8);
    fault.counters.set_evaluated(count_at(select, 9));
    fault.counters.set_matched(count_at(select, 10));
    fault.counters.set_injected(count_at(select, 11));
    fault.residue_checked = select.getColumn(12).getInt() != 0;
    fault.residue = lines_from_json(select.getColumn(13).getString());
    fault.error = select.getColumn(14).getString();
    fault.achieved = select_achieved(db, run_id, select.getColumn(0).getInt());
  }
  return faults;
}

std::vector<ProbeSummary> select_probe_summaries(SQLite::Database& db, const std::string& run_id) {
  Statement select(
      db,
      "SELECT probe, samples, degraded_share, unhealthy_share, detect_earliest_ns, detect_latest_ns, "
      "recover_earliest_ns, recover_latest_ns FROM probe_summaries WHERE run_id = ? ORDER BY position");
  bind_all(select, run_id);
  std::vector<ProbeSummary> probes;
  while (select.executeStep()) {
    ProbeSummary& probe = probes.emplace_back();
    probe.probe = select.getColumn(0).getString();
    probe.samples = count_at(select, 1);
    probe.degraded_share = real_at(select, 2);
    probe.unhealthy_share = real_at(select, 3);
    probe.time_to_detect = interval_at(select, 4);
    probe.time_to_recover = interval_at(select, 6);
  }
  return probes;
}

}  // namespace faultline
