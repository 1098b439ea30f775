#include <gtest/gtest.h>

#include "controller/report/report.h"
#include "tests/unit/controller/report/parsed_xml.h"
#include "tests/unit/controller/report/sample_run.h"

namespace faultline {
namespace {

XmlElement suite_of(const Experiment& experiment, const RunRecord& run) {
  const XmlElement root = parsed_xml(junit_xml(experiment, run));
  EXPECT_EQ(root.name, "testsuites");
  EXPECT_EQ(root.children.size(), 1u);
  return root.children.empty() ? XmlElement{} : root.children[0];
}

// The element inside the testcase: failure, error, skipped or "" for a passed one.
std::string result_of(const XmlElement& suite, const std::string& name) {
  for (const XmlElement* test : suite.all("testcase")) {
    if (test->attributes.at("name") == name) return test->children.empty() ? "" : test->children[0].name;
  }
  return "no such testcase";
}

std::map<std::string, std::string> properties_of(const XmlElement& suite) {
  std::map<std::string, std::string> properties;
  for (const XmlElement* property : suite.all("properties").at(0)->all("property")) {
    properties[property->attributes.at("name")] = property->attributes.at("value");
  }
  return properties;
}

RunRecord run_with(Outcome outcome, int exit_code, std::vector<Finding> findings) {
  RunRecord run = sample_run();
  run.judgement.outcome = outcome;
  run.judgement.exit_code = exit_code;
  run.judgement.findings = std::move(findings);
  return run;
}

TEST(Junit, OfASmallRunIsExactlyThis) {
  RunRecord run = sample_run();
  run.judgement.outcome = Outcome::kFailed;
  run.judgement.exit_code = 1;
  run.judgement.findings[1].result = FindingResult::kViolated;
  run.judgement.findings[2].result = FindingResult::kUnknown;
  EXPECT_EQ(junit_xml(sample_experiment(), run), with_version(R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="faultline" tests="5" failures="1" errors="1" time="15.250">
  <testsuite name="gateway-to-metrics-delay" tests="5" failures="1" errors="1" time="15.250" skipped="0" timestamp="2026-01-31T10:15:02">
    <properties>
      <property name="run_id" value="20260131T101502Z-3f9a"/>
      <property name="outcome" value="FAILED"/>
      <property name="exit_code" value="1"/>
      <property name="reason" value="gateway stayed within its tolerance and recovered"/>
      <property name="interruption" value="none"/>
      <property name="faultline_version" value="@VERSION@"/>
      <property name="agent" value="unix:/run/faultline/agent.sock"/>
      <property name="agent_version" value="0.1.0"/>
      <property name="kernel_release" value="6.12.9"/>
      <property name="time_to_detect_s/gateway" value="0.240..0.490"/>
      <property name="time_to_recover_s/gateway" value="0.500..0.750"/>
      <property name="fault_id/slow-metrics" value="3f9a-slow-metrics"/>
      <property name="seed/slow-metrics" value="1"/>
    </properties>
    <testcase classname="gateway-to-metrics-delay" name="baseline/gateway" time="3.000"/>
    <testcase classname="gateway-to-metrics-delay" name="tolerance/gateway" time="10.020">
      <failure type="VIOLATED" message="degraded 50 % | allowed 100 %">degraded 50 % | allowed 100 %</failure>
    </testcase>
    <testcase classname="gateway-to-metrics-delay" name="recovery/gateway" time="2.230">
      <error type="UNKNOWN" message="healthy again within 0.75 s">healthy again within 0.75 s</error>
    </testcase>
    <testcase classname="gateway-to-metrics-delay" name="effect/slow-metrics" time="10.010"/>
    <testcase classname="gateway-to-metrics-delay" name="residue/slow-metrics" time="0.000"/>
  </testsuite>
</testsuites>
)xml"));
}

TEST(Junit, CountsAgreeWithTheTestcases) {
  const RunRecord run = run_with(Outcome::kPrecondition, 3,
                                 {{"baseline/a", FindingResult::kViolated, "degraded"},
                                  {"baseline/b", FindingResult::kUnknown, "no samples"},
                                  {"baseline/c", FindingResult::kHeld, "healthy"},
                                  {"tolerance/a", FindingResult::kUnknown, "not reached"},
                                  {"effect/f", FindingResult::kUnknown, "not reached"}});
  const XmlElement root = parsed_xml(junit_xml(sample_experiment(), run));
  const XmlElement suite = suite_of(sample_experiment(), run);
  for (const XmlElement* element : {&root, &suite}) {
    EXPECT_EQ(element->attributes.at("tests"), "5");
    EXPECT_EQ(element->attributes.at("failures"), "1");
    EXPECT_EQ(element->attributes.at("errors"), "1");
  }
  EXPECT_EQ(suite.attributes.at("skipped"), "2");
  EXPECT_EQ(suite.all("testcase").size(), 5u);
}

TEST(Junit, AnUnmetPreconditionSkipsWhatCouldNotBeChecked) {
  const std::vector<Finding> findings = {{"baseline/a", FindingResult::kUnknown, "no samples"},
                                         {"tolerance/a", FindingResult::kUnknown, "not reached"}};
  const XmlElement unmet = suite_of(sample_experiment(), run_with(Outcome::kPrecondition, 3, findings));
  EXPECT_EQ(result_of(unmet, "baseline/a"), "error");
  EXPECT_EQ(result_of(unmet, "tolerance/a"), "skipped");
  const XmlElement other = suite_of(sample_experiment(), run_with(Outcome::kInconclusive, 4, findings));
  EXPECT_EQ(result_of(other, "tolerance/a"), "error");
}

TEST(Junit, ARunThatDidNotPassIsNeverAllGreen) {
  const std::vector<Finding> held = {{"baseline/a", FindingResult::kHeld, "healthy"}};
  const std::vector<Finding> skipped = {{"tolerance/a", FindingResult::kUnknown, "not reached"}};
  EXPECT_EQ(result_of(suite_of(sample_experiment(), run_with(Outcome::kStopped, 130, held)), "verdict"),
            "error");
  EXPECT_EQ(result_of(suite_of(sample_experiment(), run_with(Outcome::kInfrastructure, 7, {})), "verdict"),
            "error");
  EXPECT_EQ(result_of(suite_of(sample_experiment(), run_with(Outcome::kPrecondition, 3, skipped)), "verdict"),
            "error");
  EXPECT_EQ(result_of(suite_of(sample_experiment(), run_with(Outcome::kFailed, 1, held)), "verdict"),
            "failure");
  EXPECT_EQ(result_of(suite_of(sample_experiment(), run_with(Outcome::kPassed, 0, held)), "verdict"),
            "no such testcase");
  EXPECT_EQ(result_of(suite_of(sample_experiment(), run_with(Outcome::kPassed, 0, {})), "verdict"), "");
}

TEST(Junit, PropertiesTellIntervalsAndSeeds) {
  Experiment experiment = sample_experiment();
  FaultStep& step = std::get<FaultStep>(experiment.method.steps[0].what);
  step.spec.set_seed(42);
  RunRecord run = sample_run();
  run.judgement.probes[0].time_to_detect.reset();
  run.judgement.probes[0].time_to_recover = Interval{std::chrono::seconds(10), std::nullopt};
  run.interruption = Interruption::kStopCondition;
  const auto properties = properties_of(suite_of(experiment, run));
  EXPECT_EQ(properties.count("time_to_detect_s/gateway"), 0u);
  EXPECT_EQ(properties.at("time_to_recover_s/gateway"), "10.000..never");
  EXPECT_EQ(properties.at("seed/slow-metrics"), "42");
  EXPECT_EQ(properties.at("fault_id/slow-metrics"), "3f9a-slow-metrics");
  EXPECT_EQ(properties.at("interruption"), "stop condition");
}

TEST(Junit, MessagesOfAnyContentAreReadBack) {
  const std::string odd = "a < \"b\" & 'c' ]]> | l\xC3\xA4uft\nsecond line\r\t";
  RunRecord run =
      run_with(Outcome::kFailed, 1, {{odd, FindingResult::kViolated, odd + '\0' + "\x1B[31m\xFF"}});
  run.experiment = odd;
  run.id = odd;
  const XmlElement suite = suite_of(sample_experiment(), run);
  EXPECT_EQ(suite.attributes.at("name"), odd);
  EXPECT_EQ(properties_of(suite).at("run_id"), odd);
  const XmlElement& test = *suite.all("testcase").at(0);
  EXPECT_EQ(test.attributes.at("name"), odd);
  const std::string expected = odd + "\xEF\xBF\xBD\xEF\xBF\xBD[31m\xEF\xBF\xBD";
  EXPECT_EQ(test.children.at(0).attributes.at("message"), expected);
  EXPECT_EQ(test.children.at(0).text, expected);
}

}  // namespace
}  // namespace faultline
