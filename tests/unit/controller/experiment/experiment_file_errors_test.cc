// Every way to get an experiment file wrong, and what is said about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>

#include "tests/unit/controller/experiment/sample_experiment.h"

namespace faultline {
namespace {

struct Mistake {
  const char* from;
  const char* to;
  const char* error;  // the beginning of the message, after the file's name
};

void expect_errors(std::span<const Mistake> mistakes) {
  for (const Mistake& mistake : mistakes) {
    const StatusOr<Experiment> read = parse_experiment(sample_with(mistake.from, mistake.to), "x.yaml");
    ASSERT_FALSE(read.ok()) << mistake.to;
    EXPECT_EQ(read.status().code(), StatusCode::kInvalidArgument) << mistake.to;
    EXPECT_THAT(message_of(read.status()), ::testing::StartsWith(std::string("x.yaml:") + mistake.error))
        << mistake.to;
  }
}

TEST(ExperimentFileErrors, UnknownKeys) {
  const Mistake cases[] = {
      {"steadyState:", "steady_state:",
       "5:1: unknown key 'steady_state' in experiment; did you mean 'steadyState'?"},
      {"steadyState:", "teardown:",
       "5:1: unknown key 'teardown' in experiment; it must be one of apiVersion, kind, name, description, "
       "steadyState, method, recovery, stopConditions"},
      {"latency:", "latancy:", "25:9: unknown key 'latancy' in delay; did you mean 'latency'?"},
      {"delay:\n", "dealy:\n", "24:7: unknown key 'dealy' in fault; did you mean 'delay'?"},
      {"degradedAbove", "degradedabove",
       "15:7: unknown key 'degradedabove' in probe; did you mean 'degradedAbove'?"},
      {"url:", "uri:", "11:9: unknown key 'uri' in http; did you mean 'url'?"},
      {"pointer:", "path:", "13:17: unknown key 'path' in json"},
      {"unhealthy: 2.5%", "unhealty: 2.5%",
       "16:36: unknown key 'unhealty' in tolerance; did you mean 'unhealthy'?"},
      {"peers:", "peer:", "27:20: unknown key 'peer' in traffic; did you mean 'peers'?"},
      {"seed:", "sede:", "30:65: unknown key 'sede' in fault; did you mean 'seed'?"},
      {"- wait: 2s", "- pause: 2s", "28:5: unknown key 'pause' in step"},
      {"stable:", "stabel:", "34:26: unknown key 'stabel' in recovery; did you mean 'stable'?"},
      {"address:", "addr:", "18:14: unknown key 'addr' in tcp; it must be address"},
  };
  expect_errors(cases);
}

TEST(ExperimentFileErrors, MissingKeys) {
  const Mistake cases[] = {
      {"apiVersion: faultline/v1\n", "", "1:1: experiment: key 'apiVersion' is missing"},
      {"kind: Experiment\n", "", "1:1: experiment: key 'kind' is missing"},
      {"    - name: gateway\n      http", "    - http", "9:7: probe: key 'name' is missing"},
      {"        url: \"http://10.88.77.2/healthz\"\n", "", "11:9: http: key 'url' is missing"},
      {"healthy: [ok, 1], ", "", "13:15: json: key 'healthy' is missing"},
      {"      for: 10s\n", "", "21:7: fault: key 'for' is missing"},
      {"      target: container:fl-demo-gateway\n", "", "21:7: fault: key 'target' is missing"},
      {"        latency: 200ms\n", "", "25:9: delay: key 'latency' is missing"},
      {"probability: 10%", "", "30:81: loss: is empty; it takes traffic, probability, every, first, bursts"},
      {"state: unhealthy, ", "", "36:5: stop condition: key 'state' is missing"},
      {", for: 3s", "", "36:5: stop condition: key 'for' is missing"},
      {", loss: { probability: 10% }", "", "30:16: fault: one of delay, loss, duplicate, "},
      {"      tcp: { address: \"[fd00::4]:5432\" }\n", "", "17:7: probe: one of http, tcp is missing"},
  };
  expect_errors(cases);
}

TEST(ExperimentFileErrors, WrongTypes) {
  const Mistake cases[] = {
      {"kind: Experiment", "kind: [Experiment]", "2:7: kind: must be a single value, not a list"},
      {"name: gateway-to-metrics-delay", "name:", "3:1: name: the value is missing"},
      {"name: gateway-to-metrics-delay", "name: \"\"", "3:7: name: must not be empty"},
      {"every: 100ms", "every: {ms: 100}", "6:10: every: must be a single value, not a mapping"},
      {"every: 100ms", "every: ~", "6:3: every: the value is missing"},
      {"[200, 204]", "200", "12:17: status: must be a list, not text"},
      {"[200, 204]", "[ok]", "12:18: status: 'ok' is not a whole number from 100 to 599"},
      {"[200, 204]", "[\"200\"]", "12:18: status: '200' is not a whole number from 100 to 599"},
      {"[200, 204]", "[99]", "12:18: status: '99' is not a whole number from 100 to 599"},
      {"[200, 204]", "[200.0]", "12:18: status: '200.0' is not a whole number"},
      {"tcp: { address: \"[fd00::4]:5432\" }", "tcp: 5432",
       "18:12: tcp: must be a mapping with the keys address, not text"},
      {"recovery: { within: 10s, stable: 1500ms }", "recovery: {}",
       "34:11: recovery: is empty; it takes within, stable"},
      {"recovery: { within: 10s, stable: 1500ms }",
       "recovery:", "34:1: recovery: must be a mapping with the keys within, stable, not nothing"},
      {"seed: 42", "seed: -1", "30:71: seed: '-1' is not a whole number from 0 to 18446744073709551615"},
      {"seed: 42", "seed: 18446744073709551616", "30:71: seed: '18446744073709551616' is not a whole number"},
      {"- wait: 2s", "- wait",
       "28:5: step: must be a mapping with the keys fault, wait, parallel, serial, together, not text"},
  };
  expect_errors(cases);
}

TEST(ExperimentFileErrors, Durations) {
  const Mistake cases[] = {
      {"latency: 200ms", "latency: 200", "25:18: latency: 200 has no unit; write 200ms, 200us or 200s"},
      {"latency: 200ms", "latency: 200msec", "25:18: latency: 200msec has the unknown unit 'msec'"},
      {"latency: 200ms", "latency: -200ms", "25:18: latency: -200ms is negative"},
      {"latency: 200ms", "latency: 0ms", "25:18: latency: must be longer than zero"},
      {"latency: 200ms", "latency: 61s", "25:18: latency: 61s is too long; the maximum is 1m"},
      {"jitter: 0.5ms", "jitter: 201ms", "26:17: jitter: 201ms is more than the latency of 200ms"},
      {"for: 10s", "for: 0s", "23:12: for: must be longer than zero"},
      {"for: 10s", "for: 1h1ns", "23:12: for: 1h1ns is too long; the maximum is 1h"},
      {"for: 10s", "for: 10us", "23:12: for: 10us is too short; the minimum is 1ms"},
      {"for: 10s", "for: 99999999999h", "23:12: for: 99999999999h is too long"},
      {"- wait: 2s", "- wait: 2", "28:11: wait: 2 has no unit; write 2ms, 2us or 2s"},
      {"- wait: 2s", "- wait: 0s", "28:11: wait: must be longer than zero"},
      {"every: 100ms", "every: 1ms", "6:10: every: 1ms is too short; the minimum is 10ms"},
      {"every: 100ms", "every: 2m", "6:10: every: 2m is too long; the maximum is 1m"},
      {"baseline: 2s", "baseline: -2s", "7:13: baseline: -2s is negative"},
      {"timeout: 2s", "timeout: 0s", "14:16: timeout: must be longer than zero"},
      {"timeout: 2s", "timeout: 100ms", "15:22: degradedAbove: 150ms is not below the timeout of 100ms"},
      {"within: 10s", "within: ten", "34:21: within: 'ten' is not a duration"},
      {"stable: 1500ms", "stable: 0s", "34:34: stable: must be longer than zero"},
      {"for: 3s }", "for: 3 }", "36:46: for: 3 has no unit"},
  };
  expect_errors(cases);
}

TEST(ExperimentFileErrors, APauseBetweenSamplesThatRecoveryHasNoTimeFor) {
  const Mistake cases[] = {
      {"every: 100ms", "every: 10001ms",
       "6:10: every: 10s1ms is longer than recovery.within, 10s: no sample need fall into it"},
      {"every: 100ms\n  baseline: 2s", "baseline: 2s\n  every: 11s", "7:10: every: 11s is longer than "},
      {"recovery: { within: 10s, stable: 1500ms }", "recovery: { within: 99ms }",
       "6:10: every: 100ms is longer than recovery.within, 99ms"},
  };
  expect_errors(cases);
  const std::string usual = "every: 100ms\n  baseline: 2s";
  std::string text = sample_with(usual, "baseline: 2s");
  text.replace(text.find("within: 10s"), 11, "within: 249ms");
  EXPECT_THAT(message_of(parse_experiment(text, "x.yaml").status()),
              ::testing::HasSubstr(
                  "within: 249ms is shorter than steadyState.every, 250ms: no sample need fall into it"));
  EXPECT_TRUE(parse_experiment(sample_with("every: 100ms", "every: 10s"), "x.yaml").ok());
}

TEST(ExperimentFileErrors, Percentages) {
  const Mistake cases[] = {
      {"probability: 10%", "probability: 0%", "30:96: probability: must be above 0%"},
      {"probability: 10%", "probability: 101%", "30:96: probability: 101% is above 100%"},
      {"probability: 10%", "probability: -5%", "30:96: probability: -5% is below 0%"},
      {"probability: 10%", "probability: 0.1", "30:96: probability: 0.1 has no % sign"},
      {"unhealthy: 2.5%", "unhealthy: 2.5", "16:47: unhealthy: 2.5 has no % sign"},
      {"degraded: 100%", "degraded: 100.5%", "16:30: degraded: 100.5% is above 100%"},
  };
  expect_errors(cases);
}

TEST(ExperimentFileErrors, NetworkFilters) {
  const Mistake cases[] = {
      {"10.88.77.3/32", "10.88.77.3/24",
       "27:28: peers: '10.88.77.3/24' has bits set beyond its prefix; the network is 10.88.77.0/24"},
      {"10.88.77.3/32", "10.88.77.300", "27:28: peers: '10.88.77.300' is not an address or network"},
      {"10.88.77.3/32", "metrics_.example.300", "27:28: peers: 'metrics_.example.300' is not a host name"},
      {"\"fd00::/64\"", "\"fd00::1/64\"",
       "27:43: peers: 'fd00::1/64' has bits set beyond its prefix; the network is fd00::/64"},
      {"\"fd00::/64\"", "\"fd00::/129\"", "27:43: peers: 'fd00::/129': the prefix must be from 0 to 128"},
      {"[9090, 8000-8010]", "[0]", "27:75: ports: '0' is not a port from 1 to 65535"},
      {"[9090, 8000-8010]", "[65536]", "27:75: ports: '65536' is not a port from 1 to 65535"},
      {"[9090, 8000-8010]", "[8010-8000]", "27:75: ports: '8010-8000' runs backwards; write 8000-8010"},
      {"[9090, 8000-8010]", "[http]", "27:75: ports: 'http' is not a port"},
      {"[9090, 8000-8010]", "[]", "27:74: ports: the list is empty"},
      {"[9090, 8000-8010]", "9090", "27:74: ports: must be a list, not text"},
      {", protocol: tcp", "", "27:74: ports: need 'protocol: tcp' or 'protocol: udp' beside them"},
      {"protocol: tcp", "protocol: icmp",
       "27:74: ports: need 'protocol: tcp' or 'protocol: udp' beside them"},
      {"protocol: tcp", "protocol: TCP", "27:103: protocol: 'TCP' is unknown; did you mean 'tcp'?"},
      {"protocol: tcp", "protocol: sctp",
       "27:103: protocol: 'sctp' is unknown; it must be one of any, tcp, udp, icmp"},
      {"{ peers: [10.88.77.3/32, \"fd00::/64\", 10.0.0.1], ports: [9090, 8000-8010], protocol: tcp }", "{}",
       "27:18: traffic: is empty; it takes peers, except, ports, localPorts, protocol"},
  };
  expect_errors(cases);
}

TEST(ExperimentFileErrors, Probes) {
  const Mistake cases[] = {
      {"http://10.88.77.2/healthz", "10.88.77.2/healthz",
       "11:14: url: '10.88.77.2/healthz' must begin with http://"},
      {"http://10.88.77.2/healthz", "ftp://10.88.77.2/",
       "11:14: url: 'ftp://10.88.77.2/' must begin with http://"},
      {"http://10.88.77.2/healthz", "http:///healthz", "11:14: url: 'http:///healthz' names no host"},
      {"http://10.88.77.2/healthz", "http://u:secret@h/", "11:14: url: a user or password has no place"},
      {"pointer: /status", "pointer: status",
       "13:26: pointer: 'status' is not a JSON pointer; write /status"},
      {"pointer: /status", "pointer: /a~2", "13:26: pointer: '/a~2': in a JSON pointer"},
      {"degraded: [warn]", "degraded: [ok]", "13:63: degraded: 'ok' is also under healthy"},
      {"[fd00::4]:5432", "fd00::4", "18:23: address: put the IPv6 address in brackets: [fd00::4]"},
      {"[fd00::4]:5432", "db", "18:23: address: 'db' has no port"},
      {"[fd00::4]:5432", "db:0", "18:23: address: 'db:0': the port must be from 1 to 65535"},
      {"name: database", "name: gateway", "17:7: probe 'gateway' was already given in line 9"},
      {"name: database", "name: data base", "17:13: name: 'data base' is not a name"},
      {"name: database", "name: ../x", "17:13: name: '../x' is not a name"},
      {"tcp: {", "http: { url: 'http://x' }\n      tcp: {",
       "19:7: probe has both 'http' and 'tcp'; give exactly one of http, tcp"},
  };
  expect_errors(cases);
}

TEST(ExperimentFileErrors, Method) {
  const Mistake cases[] = {
      {"container:fl-demo-gateway", "fl-demo-gateway",
       "22:15: target: 'fl-demo-gateway' must be cgroup:PATH, pid:N or"},
      {"container:fl-demo-gateway", "contaner:x",
       "22:15: target: target scheme 'contaner' is unknown; did you mean"},
      {"container:fl-demo-gateway", "\"container:\"", "22:15: target: 'container:' is not a container id"},
      {"container:fl-demo-gateway", "container:a/b", "22:15: target: 'container:a/b' is not a container id"},
      {"cgroup:/a/b", "cgroup:/", "30:38: target: 'cgroup:/' names no cgroup below the root"},
      {"cgroup:/a/b", "cgroup:/a/../b", "30:38: target: cgroup path '/a/../b' must not contain '..'"},
      {"pid:4242", "pid:0", "33:44: target: 'pid:0': the pid must be from 1 to 4194304"},
      {"pid:4242", "pid:12x", "33:44: target: 'pid:12x': the pid must be from 1"},
      {"name: drop-2", "name: slow-metrics", "33:20: fault 'slow-metrics' was already given in line 21"},
      {"loss: { probability: 10% }", "loss: { probability: 10% }, delay: { latency: 1ms }",
       "30:103: fault has both 'loss' and 'delay'; give exactly one of delay, loss, duplicate"},
      {"- wait: 2s", "- { wait: 2s, serial: [] }", "28:17: step has both 'wait' and 'serial'"},
      {"  - parallel:\n", "  - parallel: []\n  - serial:\n", "29:15: parallel: the list is empty"},
  };
  expect_errors(cases);

  const std::string sample(kSampleExperiment);
  const std::size_t method = sample.find("method:");
  const std::string head = sample.substr(0, method);
  for (const auto& [text, error] :
       {std::pair{"method: []", "19:9: method: the list is empty"},
        std::pair{"method: [ wait: 1s ]", "19:9: method: holds no fault"},
        std::pair{"method: [ serial: [ wait: 1s ] ]", "19:9: method: holds no fault"},
        std::pair{"method: { wait: 1s }", "19:9: method: must be a list, not a mapping"},
        std::pair{"", "1:1: experiment: key 'method' is missing"}}) {
    EXPECT_THAT(message_of(parse_experiment(head + text, "x.yaml").status()),
                ::testing::StartsWith(std::string("x.yaml:") + error));
  }
  std::string many = head + "method:\n";
  for (int i = 0; i < 257; ++i) many += "  - wait: 1s\n";
  EXPECT_THAT(message_of(parse_experiment(many, "x.yaml").status()),
              ::testing::HasSubstr("more than 256 steps"));
}

TEST(ExperimentFileErrors, StopConditionsAndHeader) {
  const Mistake cases[] = {
      {"{ probe: gateway, state: unhealthy", "{ probe: gatway, state: unhealthy",
       "36:14: probe: 'gatway' is unknown; did you mean 'gateway'?"},
      {"{ probe: gateway, state: unhealthy", "{ probe: cache, state: unhealthy",
       "36:14: probe: 'cache' is unknown; it must be one of gateway, database"},
      {"state: unhealthy", "state: UNHEALTHY",
       "36:30: state: 'UNHEALTHY' is unknown; did you mean 'unhealthy'?"},
      {"state: unhealthy", "state: healthy", "36:30: state: 'healthy' is unknown; did you mean 'unhealthy'?"},
      {"state: degraded", "state: unhealthy",
       "37:5: a stop condition for this probe and state was already given in line 36"},
      {"faultline/v1", "faultline/v2",
       "1:13: apiVersion: 'faultline/v2' is unknown; did you mean 'faultline/v1'?"},
      {"kind: Experiment", "kind: Workflow", "2:7: kind: 'Workflow' is unknown; it must be Experiment"},
  };
  expect_errors(cases);
}

}  // namespace
}  // namespace faultline
