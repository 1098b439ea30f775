#include "tests/unit/controller/report/sample_run.h"

#include "common/version.h"

namespace faultline {

using std::chrono::milliseconds;

Experiment sample_experiment() {
  Experiment experiment;
  experiment.name = "gateway-to-metrics-delay";
  experiment.description = "The gateway answers while metrics are slow";
  experiment.file = "demo.yaml";
  experiment.source = "name: \"gateway-to-metrics-delay\"\n# l\xC3\xA4uft\n";
  Probe probe;
  probe.name = "gateway";
  probe.check = HttpCheck{.url = "http://10.88.77.2/healthz", .status = {200}, .json = std::nullopt};
  experiment.steady_state.probes.push_back(probe);

  FaultStep fault;
  fault.name = "slow-metrics";
  fault.target = "container:fl-demo-gateway";
  fault.kind = "delay";
  fault.duration = std::chrono::seconds(10);
  fault.spec.set_seed(1);
  v1::Delay& delay = *fault.spec.mutable_delay();
  delay.mutable_latency()->set_nanos(200'000'000);
  delay.mutable_traffic()->add_peers("10.88.77.3/32");
  experiment.method.steps.push_back(Step{fault});
  return experiment;
}

namespace {

FaultOutcome sample_fault() {
  FaultOutcome fault;
  fault.name = "slow-metrics";
  fault.id = "3f9a-slow-metrics";
  fault.plan.set_kind("delay");
  fault.plan.set_mechanism("cgroup_skb/egress steers, prio/netem shapes");
  fault.plan.set_resolved_target("cgroup /fl-demo-gateway (3 processes)");
  fault.plan.add_steps("add qdisc prio fa17: to eth0");
  fault.plan.add_steps("attach net_steer to /fl-demo-gateway");
  fault.effective_at = milliseconds(3010);
  fault.removed_at = milliseconds(13020);

  v1::FaultStatus& status = fault.status;
  status.set_id(fault.id);
  status.set_kind("delay");
  status.set_target("container:fl-demo-gateway");
  status.set_resolved_target(fault.plan.resolved_target());
  status.set_mechanism(fault.plan.mechanism());
  status.set_state(v1::FAULT_STATE_ENDED);
  status.set_end_reason(v1::END_REASON_REVERTED);
  status.mutable_effective_at()->set_seconds(1769854505);
  status.mutable_effective_at()->set_nanos(10'000'000);
  status.mutable_ended_at()->set_seconds(1769854515);
  status.mutable_ended_at()->set_nanos(20'000'000);
  status.mutable_counters()->set_evaluated(900);
  status.mutable_counters()->set_matched(412);
  status.mutable_counters()->set_injected(411);
  v1::Achieved& latency = *status.add_achieved();
  latency.set_name("latency");
  latency.set_unit("ms");
  latency.set_requested(200);
  latency.set_median(200.7);
  latency.set_p05(181.25);
  latency.set_p95(219.4);
  latency.set_samples(411);
  latency.set_tolerated_low(190);
  latency.set_tolerated_high(210);
  status.set_residue_checked(true);
  return fault;
}

Judgement sample_judgement() {
  Judgement judgement;
  judgement.outcome = Outcome::kPassed;
  judgement.exit_code = 0;
  judgement.reason = "gateway stayed within its tolerance and recovered";
  judgement.findings = {
      {"baseline/gateway", FindingResult::kHeld, "healthy for 3 s"},
      {"tolerance/gateway", FindingResult::kHeld, "degraded 50 % | allowed 100 %"},
      {"recovery/gateway", FindingResult::kHeld, "healthy again within 0.75 s"},
      {"effect/slow-metrics", FindingResult::kHeld, "411 of 412 matched packets injected"},
      {"residue/slow-metrics", FindingResult::kHeld, "residue: none"},
  };
  ProbeSummary probe;
  probe.probe = "gateway";
  probe.samples = 40;
  probe.degraded_share = 0.5;
  probe.unhealthy_share = 0;
  probe.time_to_detect = Interval{milliseconds(240), milliseconds(490)};
  probe.time_to_recover = Interval{milliseconds(500), milliseconds(750)};
  judgement.probes.push_back(probe);
  return judgement;
}

}  // namespace

RunRecord sample_run(const std::string& id) {
  RunRecord run;
  run.id = id;
  run.experiment = "gateway-to-metrics-delay";
  run.agent = "unix:/run/faultline/agent.sock";
  run.agent_version = "0.1.0";
  run.kernel_release = "6.12.9";
  run.node_clock = NodeClock{std::chrono::microseconds(1200), std::chrono::microseconds(300)};
  run.started = WallTime(std::chrono::nanoseconds(1769854502'000'000'007));
  run.duration = milliseconds(15250);
  run.phases = {
      {Phase::kBaseline, milliseconds(0), milliseconds(3000)},
      {Phase::kInject, milliseconds(3000), milliseconds(3010)},
      {Phase::kObserve, milliseconds(3010), milliseconds(13000)},
      {Phase::kRemove, milliseconds(13000), milliseconds(13020)},
      {Phase::kRecover, milliseconds(13020), milliseconds(15250)},
  };
  run.samples = {
      {0, milliseconds(250), milliseconds(2), Phase::kBaseline, HealthState::kHealthy, "200"},
      {0, milliseconds(3500), milliseconds(204), Phase::kObserve, HealthState::kDegraded, "200 \"slow\""},
      {0, milliseconds(13770), milliseconds(2), Phase::kRecover, HealthState::kHealthy, "200"},
  };
  run.samples_missed = 1;
  run.faults.push_back(sample_fault());
  run.judgement = sample_judgement();
  return run;
}

std::string with_version(std::string golden) {
  const std::string mark = "@VERSION@";
  if (const std::size_t at = golden.find(mark); at != std::string::npos)
    golden.replace(at, mark.size(), kVersion);
  return golden;
}

}  // namespace faultline
