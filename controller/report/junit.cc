#include "common/version.h"
#include "controller/report/escape.h"
#include "controller/report/format.h"
#include "controller/report/report.h"

namespace faultline {
namespace {

struct TestCase {
  std::string name;
  Nanos time{};
  std::string element;  // failure, error, skipped; empty: it passed
  std::string type;
  std::string message;
};

// What a check looked at for how long, so that CI's timing charts show something true.
Nanos time_of(const Finding& finding, const RunRecord& run) {
  const auto spent_in = [&run](auto... phases) {
    Nanos sum{};
    for (const PhaseSpan& span : run.phases) {
      if (((span.phase == phases) || ...)) sum += span.end_at - span.start_at;
    }
    return sum;
  };
  const std::string kind = finding.check.substr(0, finding.check.find('/'));
  if (kind == "baseline") return spent_in(Phase::kBaseline);
  if (kind == "tolerance" || kind == "stop") return spent_in(Phase::kInject, Phase::kObserve, Phase::kRemove);
  if (kind == "recovery") return spent_in(Phase::kRecover);
  if (kind == "effect" || kind == "fidelity") {
    for (const FaultOutcome& fault : run.faults) {
      if (finding.check != kind + "/" + fault.name || !fault.effective_at || !fault.removed_at) continue;
      return *fault.removed_at - *fault.effective_at;
    }
  }
  return Nanos{};
}

TestCase test_case(const Finding& finding, const RunRecord& run) {
  TestCase test{finding.check, time_of(finding, run), "", to_string(finding.result), finding.message};
  if (finding.result == FindingResult::kViolated) test.element = "failure";
  if (finding.result == FindingResult::kUnknown) {
    // Without its precondition the run ended before this check could be made; the baseline itself was
    // checked.
    const bool never_made =
        run.judgement.outcome == Outcome::kPrecondition && !finding.check.starts_with("baseline/");
    test.element = never_made ? "skipped" : "error";
  }
  return test;
}

std::size_t count(const std::vector<TestCase>& tests, std::string_view element) {
  std::size_t n = 0;
  for (const TestCase& test : tests) n += test.element == element ? 1 : 0;
  return n;
}

std::vector<TestCase> test_cases(const RunRecord& run) {
  std::vector<TestCase> tests;
  for (const Finding& finding : run.judgement.findings) tests.push_back(test_case(finding, run));
  const bool red = count(tests, "failure") + count(tests, "error") > 0;
  if (tests.empty() || (run.judgement.exit_code != 0 && !red)) {
    TestCase verdict{"verdict", Nanos{}, "", to_string(run.judgement.outcome), run.judgement.reason};
    if (run.judgement.exit_code != 0) {
      verdict.element = run.judgement.outcome == Outcome::kFailed ? "failure" : "error";
    }
    tests.push_back(verdict);
  }
  return tests;
}

void add_property(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", xml_escape(name), xml_escape(value));
}

// "0.250..0.500", "0.250..never": seconds
void add_interval(std::string& out, std::string_view name, const std::optional<Interval>& interval) {
  if (!interval) return;
  const std::string latest = interval->latest ? seconds_text(*interval->latest) : "never";
  add_property(out, name, seconds_text(interval->earliest) + ".." + latest);
}

std::string properties(const Experiment& experiment, const RunRecord& run) {
  std::string out;
  add_property(out, "run_id", run.id);
  add_property(out, "outcome", to_string(run.judgement.outcome));
  add_property(out, "exit_code", std::to_string(run.judgement.exit_code));
  add_property(out, "reason", run.judgement.reason);
  add_property(out, "interruption", to_string(run.interruption));
  add_property(out, "faultline_version", kVersion);
  add_property(out, "agent", run.agent);
  add_property(out, "agent_version", run.agent_version);
  add_property(out, "kernel_release", run.kernel_release);
  for (const ProbeSummary& probe : run.judgement.probes) {
    add_interval(out, "time_to_detect_s/" + probe.probe, probe.time_to_detect);
    add_interval(out, "time_to_recover_s/" + probe.probe, probe.time_to_recover);
  }
  for (const FaultOutcome& fault : run.faults) add_property(out, "fault_id/" + fault.name, fault.id);
  for (const FaultStep* step : fault_steps(experiment.method)) {
    add_property(out, "seed/" + step->name, std::to_string(step->spec.seed()));
  }
  return out;
}

std::string element(const TestCase& test, const std::string& experiment) {
  std::string out = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
                                xml_escape(experiment), xml_escape(test.name), seconds_text(test.time));
  if (test.element.empty()) return out + "/>\n";
  const std::string message = xml_escape(test.message);
  return out + fmt::format(">\n      <{0} type=\"{1}\" message=\"{2}\">{2}</{0}>\n    </testcase>\n",
                           test.element, xml_escape(test.type), message);
}

}  // namespace

std::string junit_xml(const Experiment& experiment, const RunRecord& run) {
  const std::vector<TestCase> tests = test_cases(run);
  const std::string name = xml_escape(run.experiment);
  const std::string counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\"", tests.size(),
                  count(tests, "failure"), count(tests, "error"), seconds_text(run.duration));
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += fmt::format("<testsuites name=\"faultline\" {}>\n", counts);
  // The usual schema has this timestamp in UTC, without fraction and zone.
  out += fmt::format("  <testsuite name=\"{}\" {} skipped=\"{}\" timestamp=\"{}\">\n", name, counts,
                     count(tests, "skipped"), iso8601(run.started).substr(0, 19));
  out += fmt::format("    <properties>\n{}    </properties>\n", properties(experiment, run));
  for (const TestCase& test : tests) out += element(test, run.experiment);
  return out + "  </testsuite>\n</testsuites>\n";
}

}  // namespace faultline
