// What is printed: plans, progress, summaries, lists.
#include <gtest/gtest.h>

#include "controller/cli/achieved_text.h"
#include "controller/cli/doctor_text.h"
#include "controller/cli/live_view.h"
#include "controller/cli/plan_text.h"
#include "controller/cli/run_summary.h"
#include "controller/cli/runs_text.h"
#include "tests/unit/controller/runner/run_lab.h"

namespace faultline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

v1::Achieved latency() {
  v1::Achieved achieved;
  achieved.set_name("latency");
  achieved.set_unit("ms");
  achieved.set_requested(200);
  achieved.set_median(200.7);
  achieved.set_p05(181.2);
  achieved.set_p95(219.4);
  achieved.set_samples(412);
  return achieved;
}

TEST(AchievedText, SetsRequestedBesideAchieved) {
  EXPECT_EQ(achieved_text(latency()),
            "latency requested 200 ms, achieved median 200.7 ms (p05 181.2, p95 219.4, 412 samples)");
  v1::Achieved loss;
  loss.set_name("loss");
  loss.set_unit("%");
  loss.set_requested(10);
  EXPECT_EQ(achieved_text(loss), "loss requested 10 %, achieved was not measured");
  for (auto set : {&v1::Achieved::set_median, &v1::Achieved::set_p05, &v1::Achieved::set_p95})
    (loss.*set)(9.5);
  loss.set_samples(400);
  EXPECT_EQ(achieved_text(loss), "loss requested 10 %, achieved 9.5 % (400 samples)");
}

RunRecord finished_run() {
  RunRecord run;
  FaultOutcome fault;
  fault.name = "slow-metrics";
  fault.status.mutable_counters()->set_evaluated(1200);
  fault.status.mutable_counters()->set_matched(412);
  fault.status.mutable_counters()->set_injected(411);
  *fault.status.add_achieved() = latency();
  run.faults = {fault};
  run.judgement.outcome = Outcome::kPassed;
  run.judgement.reason = "all is well";
  run.judgement.findings = {{"tolerance/gateway", FindingResult::kHeld, "0 % unhealthy"},
                            {"residue/slow-metrics", FindingResult::kHeld, "none"}};
  return run;
}

TEST(RunSummary, TellsVerdictNumbersAndResidue) {
  EXPECT_EQ(run_summary(finished_run()),
            "verdict: PASSED\n"
            "  all is well\n"
            "findings:\n"
            "  HELD     tolerance/gateway: 0 % unhealthy\n"
            "  HELD     residue/slow-metrics: none\n"
            "requested against achieved:\n"
            "  slow-metrics: latency requested 200 ms, achieved median 200.7 ms (p05 181.2, p95 219.4, 412 "
            "samples)\n"
            "counters:\n"
            "  slow-metrics: evaluated 1200, matched 412, injected 411\n"
            "residue: none\n");
}

TEST(RunSummary, TellsTheNodesClockWhereItIsKnown) {
  RunRecord run = finished_run();
  run.node_clock = NodeClock{std::chrono::microseconds(1200), std::chrono::microseconds(300)};
  EXPECT_NE(run_summary(run).find("\nnode clock: +1.2 ms +- 300.0 us\n"), std::string::npos)
      << run_summary(run);
}

TEST(RunSummary, NeverSaysNoneWhereItIsNotProved) {
  RunRecord run = finished_run();
  run.judgement.findings[1] = {"residue/slow-metrics", FindingResult::kUnknown, "not proved: agent lost"};
  const std::string text = run_summary(run);
  EXPECT_EQ(text.find("residue: none"), std::string::npos);
  EXPECT_NE(text.find("residue: slow-metrics: not proved: agent lost\n"), std::string::npos) << text;
}

TEST(LiveView, ShowsPhaseProbesAndActiveFaults) {
  testing::RunLab lab;
  LiveView view(lab.experiment);
  EXPECT_EQ(live_lines(view, milliseconds(1500), 80, false),
            (std::vector<std::string>{"[   1.5 s] baseline", "  shop  no answer yet"}));
  view.phase = Phase::kObserve;
  view.probes[0].last =
      Sample{0, seconds(1), milliseconds(212), Phase::kObserve, HealthState::kDegraded, "200 but slow"};
  FaultOutcome fault = finished_run().faults[0];
  fault.status.set_state(v1::FAULT_STATE_ACTIVE);
  view.put(fault);
  const std::vector<std::string> lines = live_lines(view, seconds(3), 60, false);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1].substr(0, 17), "  shop  DEGRADED ");
  EXPECT_NE(lines[1].find("200 but slow"), std::string::npos);
  EXPECT_EQ(lines[2], "  slow-metrics: evaluated 1200, matched 412, injected 411;..");
  fault.status.set_state(v1::FAULT_STATE_ENDED);
  view.put(fault);
  EXPECT_EQ(live_lines(view, seconds(3), 60, false).size(), 2U);
}

TEST(LiveView, ShowsArmedFaultsWithTheTimeUntilTheirStart) {
  testing::RunLab lab;
  LiveView view(lab.experiment);
  FaultOutcome fault = finished_run().faults[0];
  fault.status.set_state(v1::FAULT_STATE_ARMED);
  fault.planned_start = milliseconds(4200);
  view.put(fault);
  EXPECT_EQ(live_lines(view, seconds(3), 80, false).at(2), "  slow-metrics: armed, starts in 1.2 s");
  EXPECT_EQ(live_lines(view, seconds(5), 80, false).at(2), "  slow-metrics: armed, starts in 0.0 s");
}

TEST(LiveView, ColoursOnlyWhereAskedFor) {
  testing::RunLab lab;
  LiveView view(lab.experiment);
  view.probes[0].last = Sample{};
  EXPECT_EQ(live_lines(view, seconds(0), 80, false)[1].find('\x1b'), std::string::npos);
  EXPECT_NE(live_lines(view, seconds(0), 80, true)[1].find('\x1b'), std::string::npos);
}

TEST(PlanText, ShowsTheMethodWithMechanismAndSteps) {
  testing::RunLab lab;
  lab.experiment.method = testing::serial(
      {{testing::parallel({{testing::fault_step("slow", seconds(2))}, {WaitStep{seconds(1)}}})}});
  Preflight checked;
  v1::Plan plan;
  plan.set_mechanism("netem");
  plan.set_resolved_target("cgroup /shop (3 processes)");
  plan.add_steps("add qdisc");
  checked.plans = {plan};
  EXPECT_NE(plan_text(lab.experiment, checked, "unix:/a")
                .find("method:\n"
                      "  at the same time:\n"
                      "    fault slow: delay for 2s\n"
                      "      target: cgroup:/slow -> cgroup /shop (3 processes)\n"
                      "      traffic: egress; peers: any; protocol: any\n"
                      "      mechanism: netem\n"
                      "        - add qdisc\n"
                      "    wait 1s\n"),
            std::string::npos)
      << plan_text(lab.experiment, checked, "unix:/a");
}

TEST(PlanText, ShowsOverlapsTheClockAndWhatStartsTogether) {
  testing::RunLab lab;
  FaultStep slow = testing::fault_step("slow", seconds(2));
  FaultStep other = testing::fault_step("other", seconds(2));
  slow.target = other.target = "cgroup:/shop";
  slow.spec.set_priority(3);
  lab.experiment.method = testing::serial({{testing::together({{slow}, {other}})}});
  Preflight checked;
  checked.plans.resize(2);
  checked.clock = NodeClock{-milliseconds(2), std::chrono::microseconds(150)};
  const std::string text = plan_text(lab.experiment, checked, "unix:/a");
  EXPECT_NE(text.find("  at the same time, armed first and started together:\n    fault slow"),
            std::string::npos)
      << text;
  EXPECT_NE(
      text.find("\noverlap: slow and other match the same packets; slow has them: its priority is 3, the "
                "other's 0\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find(" at unix:/a, clock -2.0 ms +- 150.0 us\n"), std::string::npos) << text;
}

v1::CapabilitiesResponse node() {
  v1::CapabilitiesResponse node;
  node.set_agent_version("0.1.0");
  node.set_kernel_release("6.12.43+deb12-amd64");
  v1::KindSupport* delay = node.add_kinds();
  delay->set_kind("delay");
  delay->set_supported(true);
  delay->set_mechanism("BPF | netem");
  delay->add_limits("no <correlation>");
  delay->add_limits("no \\ seed");
  v1::KindSupport* loss = node.add_kinds();
  loss->set_kind("loss");
  loss->set_mechanism("a black hole");
  loss->set_reason("no\nsch_blackhole");
  return node;
}

TEST(DoctorText, TellsHowAndWhyNot) {
  const std::string text = doctor_text(node(), "unix:/a");
  EXPECT_NE(text.find("delay          yes  BPF | netem\n                    limit: no <correlation>\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("loss           no   no\nsch_blackhole\n"), std::string::npos) << text;
  EXPECT_NE(doctor_json(node()).find(R"("reason": "no\nsch_blackhole")"), std::string::npos);
  EXPECT_NE(doctor_json(node()).find(R"("no <correlation>",)"), std::string::npos);
}

TEST(DoctorMarkdown, IsATableUnderTheKernelsSeriesAndEscapesWhatWouldBreakIt) {
  EXPECT_EQ(doctor_markdown(node()),
            "## Kernel 6.12\n"
            "\n"
            "Release 6.12.43+deb12-amd64, agent 0.1.0.\n"
            "\n"
            "| fault | supported | mechanism | limits |\n"
            "| --- | --- | --- | --- |\n"
            R"(| delay | yes | BPF \| netem | no \<correlation>; no \\ seed |)"
            "\n"
            "| loss | no: no sch_blackhole | a black hole |  |\n");
}

TEST(DoctorMarkdown, TellsTheSeriesOfAnyRelease) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"6.1.0-56-amd64", "6.1"}, {"6.17-rc3", "6.17"}, {"7.2", "7.2"}, {"strange", "strange"}, {"", ""}};
  for (const auto& [release, series] : cases) {
    v1::CapabilitiesResponse node;
    node.set_kernel_release(release);
    EXPECT_EQ(doctor_markdown(node).find("## Kernel " + series + "\n\nRelease " + release + ","), 0U)
        << release;
  }
}

TEST(RunsText, ListsFinishedRunningAndLost) {
  RunSummary finished;
  finished.id = "20260131T101502Z-3f9a";
  finished.experiment = "gateway";
  finished.state = StoredState::kFinished;
  finished.outcome = "PASSED";
  finished.exit_code = 0;
  finished.duration = milliseconds(24500);
  RunSummary lost = finished;
  lost.state = StoredState::kLost;
  lost.exit_code.reset();
  const std::string text = runs_text({finished, lost});
  EXPECT_NE(text.find("PASSED            0   24.50 s  gateway\n"), std::string::npos) << text;
  EXPECT_NE(text.find("LOST              -         -  gateway\n"), std::string::npos) << text;
  EXPECT_EQ(runs_text({}), "no runs recorded\n");
}

}  // namespace
}  // namespace faultline
