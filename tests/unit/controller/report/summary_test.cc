#include <gtest/gtest.h>

#include <algorithm>

#include "controller/report/report.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/controller/report/sample_run.h"

namespace faultline {
namespace {

using testing::file_text;
using testing::put_file;
using testing::TempDir;

using std::chrono::milliseconds;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Summary, OfASmallRunIsExactlyThis) {
  EXPECT_EQ(markdown_summary(sample_experiment(), sample_run()), R"md(# PASSED: gateway-to-metrics-delay

gateway stayed within its tolerance and recovered

Run `20260131T101502Z-3f9a`, started 2026-01-31T10:15:02Z, took 15.25 s, exit code 0. Agent unix:/run/faultline/agent.sock 0.1.0, kernel 6.12.9. Node clock +1.2 ms +- 300.0 us.

The gateway answers while metrics are slow

## Findings

| result | check | what was seen |
| --- | --- | --- |
| HELD | baseline/gateway | healthy for 3 s |
| HELD | tolerance/gateway | degraded 50 % \| allowed 100 % |
| HELD | recovery/gateway | healthy again within 0.75 s |
| HELD | effect/slow-metrics | 411 of 412 matched packets injected |
| HELD | residue/slow-metrics | residue: none |

## Faults

| fault | active | requested and achieved | evaluated / matched / injected | residue |
| --- | --- | --- | --- | --- |
| slow-metrics | 3.01 s to 13.02 s | latency: requested 200 ms, achieved 200.7 ms (181.2 to 219.4, 411 samples) | 900 / 412 / 411 | none |

## Health while faults were active

| probe | samples | degraded | unhealthy | time to detect | time to recover |
| --- | --- | --- | --- | --- | --- |
| gateway | 40 | 50.0 % | 0.0 % | 240.0 ms to 490.0 ms | 500.0 ms to 750.0 ms |

Samples not taken, because the probe's last answer was still awaited: 1.

Phases: baseline 3.00 s, inject 10.0 ms, observe 9.99 s, remove 20.0 ms, recover 2.23 s.
)md");
}

TEST(Summary, StaysShortAndPutsFirstWhatDidNotHold) {
  RunRecord run = sample_run();
  run.judgement.findings.clear();
  for (int k = 0; k < 100; ++k) {
    run.judgement.findings.push_back({fmt::format("tolerance/{}", k), FindingResult::kHeld, "fine"});
  }
  run.judgement.findings.push_back({"residue/late", FindingResult::kViolated, "a qdisc is left"});
  run.judgement.findings.push_back({"effect/late", FindingResult::kUnknown, "not measured"});
  run.faults.resize(50, run.faults[0]);
  run.judgement.probes.resize(50, run.judgement.probes[0]);
  const std::string text = markdown_summary(sample_experiment(), run);
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 62);
  EXPECT_TRUE(contains(
      text, "| --- | --- | --- |\n| VIOLATED | residue/late | a qdisc is left |\n| UNKNOWN | effect/"))
      << text;
  EXPECT_TRUE(contains(text, "... and 86 more findings in journal.json")) << text;
  EXPECT_TRUE(contains(text, "... and 44 more faults in journal.json")) << text;
  EXPECT_TRUE(contains(text, "... and 42 more probes in journal.json")) << text;
}

TEST(Summary, NamesEveryResidue) {
  RunRecord run = sample_run();
  run.faults[0].status.add_residue("qdisc fa17: on eth0");
  run.faults[0].status.add_residue("cpu.max | changed");
  EXPECT_TRUE(
      contains(markdown_summary(sample_experiment(), run), "| qdisc fa17: on eth0; cpu.max \\| changed |\n"));
}

TEST(Summary, NeverSaysNoneOfAnUncheckedResidue) {
  RunRecord run = sample_run();
  run.faults[0].status.set_residue_checked(false);
  run.faults[0].removed_at.reset();
  run.faults[0].error = "agent lost";
  const std::string text = markdown_summary(sample_experiment(), run);
  EXPECT_TRUE(contains(text, "| not checked |")) << text;
  EXPECT_TRUE(contains(text, "3.01 s to ? (removal not confirmed: agent lost)")) << text;
}

TEST(Summary, TellsNeverDetectedAndNeverApplied) {
  RunRecord run = sample_run();
  run.judgement.probes[0].time_to_detect = Interval{std::chrono::seconds(10), std::nullopt};
  run.judgement.probes[0].time_to_recover.reset();
  run.faults[0].status.Clear();
  run.faults[0].effective_at.reset();
  run.faults[0].error = "no route";
  const std::string text = markdown_summary(sample_experiment(), run);
  EXPECT_TRUE(contains(text, "| never (not within 10.00 s) | - |")) << text;
  EXPECT_TRUE(contains(text, "| never: no route | - | 0 / 0 / 0 | not checked |")) << text;
}

TEST(Summary, TellsAFaultThatWasArmedOnly) {
  RunRecord run = sample_run();
  run.faults[0].planned_start = milliseconds(5000);
  run.faults[0].status.clear_effective_at();
  run.node_clock.reset();
  const std::string text = markdown_summary(sample_experiment(), run);
  EXPECT_TRUE(contains(text, "| slow-metrics | armed, never started |")) << text;
  EXPECT_FALSE(contains(text, "Node clock")) << text;
}

TEST(Summary, TellsWhatInterruptedTheRun) {
  RunRecord run = sample_run();
  run.interruption = Interruption::kHalt;
  run.interruption_detail = "by ann";
  EXPECT_TRUE(contains(markdown_summary(sample_experiment(), run), "\n\nInterrupted by halt: by ann\n"));
}

TEST(Summary, AnUnmeasuredValueShowsNoNumber) {
  RunRecord run = sample_run();
  run.faults[0].status.mutable_achieved(0)->set_samples(0);
  EXPECT_TRUE(
      contains(markdown_summary(sample_experiment(), run), "| latency: requested 200 ms, not measured |"));
}

TEST(WriteReports, WritesTheThreeTextsAndReplacesOldOnes) {
  TempDir dir;
  const Experiment experiment = sample_experiment();
  RunRecord run = sample_run();
  ASSERT_TRUE(write_reports(experiment, run, dir / "runs/one").ok());
  run.judgement.reason = "another reason";
  const StatusOr<std::vector<std::string>> paths = write_reports(experiment, run, dir / "runs/one");
  ASSERT_TRUE(paths.ok()) << paths.status();
  EXPECT_EQ(*paths, (std::vector<std::string>{dir / "runs/one/journal.json", dir / "runs/one/junit.xml",
                                              dir / "runs/one/summary.md"}));
  EXPECT_EQ(file_text((*paths)[0]), journal_json(experiment, run));
  EXPECT_EQ(file_text((*paths)[1]), junit_xml(experiment, run));
  EXPECT_EQ(file_text((*paths)[2]), markdown_summary(experiment, run));
  const auto entries = std::filesystem::directory_iterator(dir / "runs/one");
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 3);
}

TEST(WriteReports, NamesThePlaceThatItCannotWriteTo) {
  TempDir dir;
  put_file(dir / "file", "");
  const Status refused = write_reports(sample_experiment(), sample_run(), dir / "file/run").status();
  EXPECT_FALSE(refused.ok());
  EXPECT_TRUE(contains(message_of(refused), dir / "file")) << refused;
}

TEST(DefaultRunDir, IsAFolderPerRunInTheStateFolder) {
  ::setenv("XDG_STATE_HOME", "/var/lib/x", 1);
  EXPECT_EQ(default_run_dir("20260131T101502Z-3f9a").value(),
            "/var/lib/x/faultline/runs/20260131T101502Z-3f9a");
  ::unsetenv("XDG_STATE_HOME");
}

}  // namespace
}  // namespace faultline
