// What every kind of network fault can say, and what is made of it.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "controller/experiment/file/fault_kinds.h"
#include "tests/unit/controller/experiment/one_fault.h"

namespace faultline {
namespace {

using google::protobuf::util::TimeUtil;

// The spec in protobuf's JSON form without what stands in every one.
std::string json_of(const std::string& keys) {
  v1::FaultSpec spec = spec_of(keys);
  spec.clear_seed();
  std::string text;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(spec, &text).ok());
  return text;
}

TEST(NetworkFaults, EveryKindIsReadIntoItsOwnMessage) {
  const std::pair<const char*, const char*> cases[] = {
      {"delay: { latency: 0.5ms }", R"({"delay":{"traffic":{},"latency":"0.000500s","jitter":"0s"}})"},
      {"delay: { latency: 1s, jitter: 100ms, correlation: 25%, distribution: pareto }",
       R"({"delay":{"traffic":{},"latency":"1s","jitter":"0.100s","correlation":0.25,)"
       R"("distribution":"DISTRIBUTION_PARETO"}})"},
      {"loss: { probability: 10% }", R"({"loss":{"traffic":{},"packets":{"probability":0.1}}})"},
      {"duplicate: { every: 10 }", R"({"duplicate":{"traffic":{},"packets":{"every":"10"}}})"},
      {"corrupt: { first: 5 }", R"({"corrupt":{"traffic":{},"packets":{"first":"5"}}})"},
      {"reorder: { probability: 50%, hold: 20ms }",
       R"({"reorder":{"traffic":{},"packets":{"probability":0.5},"hold":"0.020s"}})"},
      {"loss: { bursts: { enterBad: 1%, leaveBad: 25% } }",
       R"({"loss":{"traffic":{},"packets":{"bursts":{"enterBad":0.01,"leaveBad":0.25}}}})"},
      {"loss: { bursts: { enterBad: 1%, leaveBad: 25%, hitInBad: 0%, hitInGood: 0.5% } }",
       R"({"loss":{"traffic":{},"packets":{"bursts":{"enterBad":0.01,"leaveBad":0.25,"hitInBad":0,)"
       R"("hitInGood":0.005}}}})"},
      {"rate: { bandwidth: 10mbit }", R"({"rate":{"traffic":{},"bitsPerSecond":"10000000"}})"},
      {"rate: { bandwidth: 8kbit, burst: 32KiB, maxWait: 1s }",
       R"({"rate":{"traffic":{},"bitsPerSecond":"8000","burstBytes":"32768","maxWait":"1s"}})"},
      {"partition: {}", R"({"partition":{"traffic":{}}})"},
      {"reject: {}", R"({"reject":{"traffic":{}}})"},
      {"connect-error: { error: ETIMEDOUT }", R"({"connect-error":{"traffic":{},"error":"ETIMEDOUT"}})"},
      {"reset: {}", R"({"reset":{"traffic":{}}})"},
      {"reset: { every: 500ms }", R"({"reset":{"traffic":{},"every":"0.500s"}})"},
      {"dns: { answer: nxdomain }", R"({"dns":{"answer":"DNS_ANSWER_NXDOMAIN"}})"},
      {"dns: { answer: delay, delay: 2s, names: ['*.example', 'db?'], every: 2 }",
       R"({"dns":{"names":["*.example","db?"],"queries":{"every":"2"},"answer":"DNS_ANSWER_DELAY",)"
       R"("delay":"2s"}})"},
      {"dns: { answer: address, addresses: [10.0.0.9, 'fd00::9'] }",
       R"({"dns":{"answer":"DNS_ANSWER_ADDRESS","addresses":["10.0.0.9","fd00::9"]}})"},
  };
  std::set<std::string> seen;
  for (const auto& [keys, json] : cases) {
    ASSERT_EQ(refusal_of(keys), "") << keys;
    EXPECT_EQ(json_of(keys), json) << keys;
    seen.insert(fault_steps(parse_fault(keys)->method)[0]->kind);
  }
  EXPECT_EQ(seen.size(), fault_kinds().size()) << "a kind without an example";
}

TEST(NetworkFaults, ATrafficFilterCanSayEverything) {
  const v1::NetworkFilter filter =
      spec_of(
          "loss: { probability: 1%, traffic: { peers: [10.0.0.0/24, metrics.example, 'container:db'],"
          " except: [10.0.0.1, 'pid:7'], ports: [443, 8000-8010], localPorts: [1024-65535], protocol: tcp,"
          " direction: both, share: 20%, shareOf: connections } }")
          .loss()
          .traffic();
  EXPECT_THAT(filter.peers(), ::testing::ElementsAre("10.0.0.0/24", "metrics.example", "container:db"));
  EXPECT_THAT(filter.except(), ::testing::ElementsAre("10.0.0.1", "pid:7"));
  ASSERT_EQ(filter.ports_size(), 2);
  EXPECT_EQ(filter.ports(1).last(), 8010U);
  ASSERT_EQ(filter.local_ports_size(), 1);
  EXPECT_EQ(filter.local_ports(0).first(), 1024U);
  EXPECT_EQ(filter.protocol(), v1::PROTOCOL_TCP);
  EXPECT_EQ(filter.direction(), v1::DIRECTION_BOTH);
  EXPECT_DOUBLE_EQ(filter.share(), 0.2);
  EXPECT_EQ(filter.share_of(), v1::SHARE_OF_CONNECTIONS);
}

TEST(NetworkFaults, WhatIsLeftOutOfAFilterIsTheKindsOwn) {
  const v1::NetworkFilter filter = spec_of("partition: { traffic: { peers: [h] } }").partition().traffic();
  EXPECT_EQ(filter.direction(), v1::DIRECTION_UNSPECIFIED);
  EXPECT_FALSE(filter.has_share());
  EXPECT_EQ(filter.share_of(), v1::SHARE_OF_PACKETS);
}

TEST(NetworkFaults, ResetNeedsNoProtocolForItsPorts) {
  EXPECT_EQ(spec_of("reset: { traffic: { ports: [5432], share: 50% } }").reset().traffic().ports_size(), 1);
  EXPECT_EQ(refusal_of("reset: { traffic: { ports: [5432], protocol: tcp } }"), "");
}

TEST(NetworkFaults, SeedPulseAndPriorityStandBesideAnyKind) {
  const v1::FaultSpec spec =
      spec_of("seed: 18446744073709551615, priority: -1000, pulse: { on: 1s, off: 1ms }, reject: {}");
  EXPECT_EQ(spec.seed(), UINT64_MAX);
  EXPECT_EQ(spec.priority(), -1000);
  EXPECT_EQ(TimeUtil::DurationToMilliseconds(spec.pulse().on()), 1000);
  EXPECT_EQ(TimeUtil::DurationToMilliseconds(spec.pulse().off()), 1);

  const v1::FaultSpec plain = spec_of("reject: {}");
  EXPECT_EQ(plain.seed(), 1U);
  EXPECT_EQ(plain.priority(), 0);
  EXPECT_FALSE(plain.has_pulse());
}

TEST(NetworkFaults, TogetherIsAParallelBlockThatStartsAtOnce) {
  const StatusOr<Experiment> read = parse_experiment(
      "apiVersion: faultline/v1\nkind: Experiment\nname: x\n"
      "steadyState: { probes: [ { name: p, tcp: { address: 'h:1' } } ] }\n"
      "method:\n"
      "  - together:\n"
      "      - fault: { name: a, target: 'pid:1', for: 1s, reject: {} }\n"
      "      - wait: 1s\n",
      "x.yaml");
  ASSERT_TRUE(read.ok()) << read.status();
  const auto& block = std::get<Block>(read->method.steps[0].what);
  EXPECT_TRUE(block.together);
  EXPECT_TRUE(block.parallel);
  EXPECT_EQ(block.steps.size(), 2U);
  EXPECT_FALSE(read->method.together);
}

}  // namespace
}  // namespace faultline
