// An experiment file that uses every key, for tests to read and to spoil.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "controller/experiment/experiment_file.h"

namespace faultline {

inline constexpr std::string_view kSampleExperiment = R"(apiVersion: faultline/v1
kind: Experiment
name: gateway-to-metrics-delay
description: The gateway answers while the metrics store is slow.
steadyState:
  every: 100ms
  baseline: 2s
  probes:
    - name: gateway
      http:
        url: "http://10.88.77.2/healthz"
        status: [200, 204]
        json: { pointer: /status, healthy: [ok, 1], degraded: [warn] }
      timeout: 2s
      degradedAbove: 150ms
      tolerance: { degraded: 100%, unhealthy: 2.5% }
    - name: database
      tcp: { address: "[fd00::4]:5432" }
method:
  - fault:
      name: slow-metrics
      target: container:fl-demo-gateway
      for: 10s
      delay:
        latency: 200ms
        jitter: 0.5ms
        traffic: { peers: [10.88.77.3/32, "fd00::/64", 10.0.0.1], ports: [9090, 8000-8010], protocol: tcp }
  - wait: 2s
  - parallel:
      - fault: { name: drop, target: "cgroup:/a/b", for: 1m30s, seed: 42, loss: { probability: 10% } }
      - serial:
          - wait: 1s
          - fault: { name: drop-2, target: "pid:4242", for: 1s, loss: { probability: 0.5% } }
recovery: { within: 10s, stable: 1500ms }
stopConditions:
  - { probe: gateway, state: unhealthy, for: 3s }
  - { probe: gateway, state: degraded, for: 30s }
)";

// The sample with `from`, which must be in it, replaced once by `to`.
inline std::string sample_with(std::string_view from, std::string_view to) {
  std::string text(kSampleExperiment);
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::invalid_argument("not in the sample: " + std::string(from));
  return text.replace(at, from.size(), to);
}

}  // namespace faultline
