#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controller/report/report.h"
#include "tests/unit/controller/report/sample_run.h"

namespace faultline {
namespace {

using nlohmann::json;

json parsed(const Experiment& experiment, const RunRecord& run) {
  return json::parse(journal_json(experiment, run), nullptr, /*allow_exceptions=*/false);
}

TEST(Journal, OfASmallRunIsExactlyThis) {
  Experiment experiment = sample_experiment();
  RunRecord run = sample_run();
  run.judgement.findings.resize(1);
  run.phases.resize(1);
  EXPECT_EQ(journal_json(experiment, run), with_version(R"json({
  "schema_version": 1,
  "faultline_version": "@VERSION@",
  "run": {
    "id": "20260131T101502Z-3f9a",
    "started_at": "2026-01-31T10:15:02.000000007Z",
    "duration_ns": 15250000000,
    "agent": {
      "address": "unix:/run/faultline/agent.sock",
      "version": "0.1.0",
      "kernel_release": "6.12.9",
      "clock": {
        "offset_ns": 1200000,
        "uncertainty_ns": 300000
      }
    },
    "interruption": {
      "cause": "none",
      "detail": ""
    }
  },
  "experiment": {
    "name": "gateway-to-metrics-delay",
    "description": "The gateway answers while metrics are slow",
    "file": "demo.yaml",
    "source": "name: \"gateway-to-metrics-delay\"\n# läuft\n"
  },
  "judgement": {
    "outcome": "PASSED",
    "exit_code": 0,
    "reason": "gateway stayed within its tolerance and recovered"
  },
  "findings": [
    {
      "check": "baseline/gateway",
      "result": "HELD",
      "message": "healthy for 3 s"
    }
  ],
  "faults": [
    {
      "name": "slow-metrics",
      "id": "3f9a-slow-metrics",
      "kind": "delay",
      "target": "container:fl-demo-gateway",
      "duration_ns": 10000000000,
      "spec": {
        "delay": {
          "traffic": {
            "peers": [
              "10.88.77.3/32"
            ]
          },
          "latency": "0.200s"
        },
        "seed": "1"
      },
      "plan": {
        "resolved_target": "cgroup /fl-demo-gateway (3 processes)",
        "mechanism": "cgroup_skb/egress steers, prio/netem shapes",
        "steps": [
          "add qdisc prio fa17: to eth0",
          "attach net_steer to /fl-demo-gateway"
        ]
      },
      "planned_start_ns": null,
      "effective_at_ns": 3010000000,
      "effective_at": "2026-01-31T10:15:05.010000000Z",
      "removed_at_ns": 13020000000,
      "removed_at": "2026-01-31T10:15:15.020000000Z",
      "resolved_target": "cgroup /fl-demo-gateway (3 processes)",
      "mechanism": "cgroup_skb/egress steers, prio/netem shapes",
      "state": "ended",
      "end_reason": "reverted",
      "end_detail": "",
      "counters": {
        "evaluated": 900,
        "matched": 412,
        "injected": 411
      },
      "achieved": [
        {
          "name": "latency",
          "unit": "ms",
          "requested": 200.0,
          "median": 200.7,
          "p05": 181.25,
          "p95": 219.4,
          "samples": 411,
          "tolerated_low": 190.0,
          "tolerated_high": 210.0
        }
      ],
      "residue_checked": true,
      "residue": [],
      "error": ""
    }
  ],
  "probes": [
    {
      "probe": "gateway",
      "samples": 40,
      "degraded_share": 0.5,
      "unhealthy_share": 0.0,
      "time_to_detect": {
        "earliest_ns": 240000000,
        "latest_ns": 490000000
      },
      "time_to_recover": {
        "earliest_ns": 500000000,
        "latest_ns": 750000000
      }
    }
  ],
  "phases": [
    {
      "phase": "baseline",
      "start_at_ns": 0,
      "end_at_ns": 3000000000
    }
  ],
  "samples_missed": 1,
  "samples": [
    {"probe":"gateway","sent_at_ns":250000000,"latency_ns":2000000,"phase":"baseline","state":"HEALTHY","detail":"200"},
    {"probe":"gateway","sent_at_ns":3500000000,"latency_ns":204000000,"phase":"observe","state":"DEGRADED","detail":"200 \"slow\""},
    {"probe":"gateway","sent_at_ns":13770000000,"latency_ns":2000000,"phase":"recover","state":"HEALTHY","detail":"200"}
  ]
}
)json"));
}

TEST(Journal, HoldsTheExperimentFileWordForWord) {
  Experiment experiment = sample_experiment();
  experiment.source = "# \"quoted\" \\ tab\t l\xC3\xA4uft\r\n\n- x\n";
  EXPECT_EQ(parsed(experiment, sample_run())["experiment"]["source"], experiment.source);
}

TEST(Journal, HoldsEverySample) {
  RunRecord run = sample_run();
  run.samples.clear();
  for (int k = 0; k < 2500; ++k) {
    run.samples.push_back(
        {0, std::chrono::milliseconds(k), Nanos(k), Phase::kObserve, HealthState::kUnknown, "n\n"});
  }
  const json samples = parsed(sample_experiment(), run)["samples"];
  ASSERT_EQ(samples.size(), 2500u);
  for (int k = 0; k < 2500; ++k) ASSERT_EQ(samples[static_cast<std::size_t>(k)]["latency_ns"], k);
  run.samples.clear();
  EXPECT_EQ(parsed(sample_experiment(), run)["samples"], json::array());
}

TEST(Journal, ANumberThatWasNotMeasuredIsNull) {
  RunRecord run = sample_run();
  run.faults[0].status.mutable_achieved(0)->set_samples(0);
  const json achieved = parsed(sample_experiment(), run)["faults"][0]["achieved"][0];
  EXPECT_EQ(achieved["requested"], 200.0);
  for (const char* key : {"median", "p05", "p95", "tolerated_low", "tolerated_high"})
    EXPECT_TRUE(achieved[key].is_null()) << key;
}

TEST(Journal, AValueThatWasNotJudgedHasNoTolerance) {
  RunRecord run = sample_run();
  run.faults[0].status.mutable_achieved(0)->clear_tolerated_low();
  run.faults[0].status.mutable_achieved(0)->clear_tolerated_high();
  const json achieved = parsed(sample_experiment(), run)["faults"][0]["achieved"][0];
  EXPECT_EQ(achieved["median"], 200.7);
  EXPECT_TRUE(achieved["tolerated_low"].is_null());
  EXPECT_TRUE(achieved["tolerated_high"].is_null());
}

TEST(Journal, KeepsPlannedStartsAndAnUnknownClock) {
  RunRecord run = sample_run();
  run.faults[0].planned_start = std::chrono::milliseconds(3009);
  run.node_clock.reset();
  const json journal = parsed(sample_experiment(), run);
  EXPECT_EQ(journal["faults"][0]["planned_start_ns"], 3'009'000'000);
  EXPECT_TRUE(journal["run"]["agent"]["clock"].is_null());
}

TEST(Journal, NeverAndNotApplicableAreApart) {
  RunRecord run = sample_run();
  run.judgement.probes[0].time_to_detect.reset();
  run.judgement.probes[0].time_to_recover = Interval{std::chrono::seconds(10), std::nullopt};
  const json probe = parsed(sample_experiment(), run)["probes"][0];
  EXPECT_TRUE(probe["time_to_detect"].is_null());
  EXPECT_EQ(probe["time_to_recover"]["earliest_ns"], 10'000'000'000);
  EXPECT_TRUE(probe["time_to_recover"]["latest_ns"].is_null());
}

TEST(Journal, AFaultThatWasNeverAppliedSaysWhy) {
  RunRecord run = sample_run();
  run.faults[0].status.Clear();
  run.faults[0].effective_at.reset();
  run.faults[0].removed_at.reset();
  run.faults[0].error = "no route to the peer";
  const json fault = parsed(sample_experiment(), run)["faults"][0];
  for (const char* key : {"effective_at_ns", "effective_at", "removed_at_ns", "removed_at"}) {
    EXPECT_TRUE(fault[key].is_null()) << key;
  }
  EXPECT_EQ(fault["state"], "unspecified");
  EXPECT_EQ(fault["target"], "container:fl-demo-gateway");
  EXPECT_EQ(fault["error"], "no route to the peer");
  EXPECT_EQ(fault["residue_checked"], false);
}

TEST(Journal, TellsTheWholeSpecOfEveryKind) {
  Experiment experiment = sample_experiment();
  FaultStep& step = std::get<FaultStep>(experiment.method.steps[0].what);
  step.kind = "loss";
  step.spec.mutable_loss()->mutable_packets()->set_probability(0.125);
  step.spec.set_seed(18446744073709551615u);
  const json spec = parsed(experiment, sample_run())["faults"][0]["spec"];
  EXPECT_EQ(spec["loss"]["packets"]["probability"], 0.125);
  EXPECT_EQ(spec["seed"], "18446744073709551615") << "64-bit numbers of a spec are strings, as in protobuf";
}

TEST(Journal, CountersKeepAll64Bits) {
  RunRecord run = sample_run();
  run.faults[0].status.mutable_counters()->set_evaluated(18446744073709551615u);
  EXPECT_EQ(parsed(sample_experiment(), run)["faults"][0]["counters"]["evaluated"], 18446744073709551615u);
}

TEST(Journal, TextThatIsNoUtf8StaysReadableJson) {
  RunRecord run = sample_run();
  run.judgement.reason = "bad \xFF byte \x01 \n";
  run.faults[0].status.add_residue("\xC3");
  run.samples[0].probe = 7;
  const json journal = parsed(sample_experiment(), run);
  ASSERT_FALSE(journal.is_discarded());
  EXPECT_EQ(journal["judgement"]["reason"], "bad \xEF\xBF\xBD byte \x01 \n");
  EXPECT_EQ(journal["samples"][0]["probe"], "#7");
}

}  // namespace
}  // namespace faultline
