// Every way to get a network fault wrong, and what is said about it. The keys begin in line 6, column 3.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/experiment/one_fault.h"

namespace faultline {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Mistake {
  std::string keys;
  std::string error;  // the beginning of the message, after the file's name
};

void expect_errors(std::initializer_list<Mistake> mistakes) {
  for (const Mistake& mistake : mistakes) {
    EXPECT_THAT(refusal_of(mistake.keys), StartsWith("f.yaml:6:" + mistake.error)) << mistake.keys;
  }
}

TEST(NetworkFaultErrors, Delay) {
  expect_errors({
      {"delay: {}", "10: delay: is empty; it takes latency, jitter, correlation, distribution, traffic"},
      {"delay: { latency: 1ms, correlation: 25% }", "39: correlation: is the jitter's"},
      {"delay: { latency: 1ms, distribution: normal }", "40: distribution: is the jitter's"},
      {"delay: { latency: 1s, jitter: 1ms, correlation: 96% }", "51: correlation: must be at most 95%"},
      {"delay: { latency: 1s, jitter: 1ms, distribution: gauss }",
       "52: distribution: 'gauss' is unknown; it must be one of uniform, normal, pareto, paretonormal"},
      {"delay: { latency: 1m, jitter: 3s }", "33: jitter: 3s is too long; the maximum is 2s"},
  });
}

TEST(NetworkFaultErrors, Selection) {
  for (const std::string kind : {"loss", "duplicate", "corrupt"}) {
    EXPECT_THAT(
        refusal_of(kind + ": { probability: 1%, every: 2 }"),
        HasSubstr(kind + " has both 'probability' and 'every'; give exactly one of probability, every, "
                         "first, bursts"));
    EXPECT_THAT(refusal_of(kind + ": { traffic: { protocol: tcp } }"),
                HasSubstr(kind + ": one of probability, every, first, bursts is missing"));
    EXPECT_THAT(refusal_of(kind + ": {}"), HasSubstr(kind + ": is empty"));
  }
  expect_errors({
      {"loss: { probability: 0% }", "24: probability: must be above 0%"},
      {"loss: { every: 0 }", "18: every: '0' is not a whole number from 1 to 18446744073709551615"},
      {"loss: { first: 0 }", "18: first: '0' is not a whole number from 1"},
      {"loss: { every: -2 }", "18: every: '-2' is not a whole number"},
      {"loss: { bursts: 1% }", "19: bursts: must be a mapping with the keys enterBad, leaveBad, hitInBad"},
      {"loss: { bursts: { enterBad: 1% } }", "19: bursts: key 'leaveBad' is missing"},
      {"loss: { bursts: { enterBad: 0%, leaveBad: 1% } }", "31: enterBad: must be above 0%"},
      {"loss: { bursts: { enterBad: 1%, leaveBad: 0% } }", "45: leaveBad: must be above 0%"},
      {"loss: { bursts: { enterBad: 1%, leaveBad: 1%, hitInBad: 0% } }", "59: hitInBad: with 0% here"},
      {"reorder: { probability: 1% }", "12: reorder: key 'hold' is missing"},
      {"reorder: { probability: 1%, hold: 0ms }", "37: hold: must be longer than zero"},
      {"reorder: { hold: 1ms }", "12: reorder: one of probability, every, first, bursts is missing"},
  });
}

TEST(NetworkFaultErrors, Rate) {
  expect_errors({
      {"rate: { burst: 1KiB }", "9: rate: key 'bandwidth' is missing"},
      {"rate: { bandwidth: 10 }", "22: bandwidth: 10 has no unit"},
      {"rate: { bandwidth: 7999bit }", "22: bandwidth: must be at least 8kbit"},
      {"rate: { bandwidth: 401gbit }", "22: bandwidth: must be at most 400gbit"},
      {"rate: { bandwidth: 1mbit, burst: 0B }", "36: burst: must be from 1B to 64MiB"},
      {"rate: { bandwidth: 1mbit, burst: 65MiB }", "36: burst: must be from 1B to 64MiB"},
      {"rate: { bandwidth: 1mbit, burst: 32k }", "36: burst: 32k has the unknown unit 'k'"},
      {"rate: { bandwidth: 1mbit, maxWait: 0s }", "38: maxWait: must be longer than zero"},
      {"rate: { bandwidth: 1mbit, maxWait: 61s }", "38: maxWait: 61s is too long"},
  });
}

TEST(NetworkFaultErrors, ConnectErrorResetAndDns) {
  expect_errors({
      {"connect-error: {}", "18: connect-error: is empty; it takes error, traffic"},
      {"connect-error: { error: EPERM }", "27: error: 'EPERM' is unknown; it must be one of ECONNREFUSED"},
      {"connect_error: { error: EACCES }",
       "3: unknown key 'connect_error' in fault; did you mean 'connect-error'?"},
      {"reset: { every: 1ms }", "19: every: 1ms is too short; the minimum is 10ms"},
      {"dns: {}", "8: dns: is empty; it takes answer, names, delay, addresses"},
      {"dns: { names: [a] }", "8: dns: key 'answer' is missing"},
      {"dns: { answer: refused }", "18: answer: 'refused' is unknown; it must be one of nxdomain, servfail"},
      {"dns: { answer: delay }", "18: answer: needs 'delay' beside it"},
      {"dns: { answer: address }", "18: answer: needs 'addresses' beside it"},
      {"dns: { answer: timeout, delay: 1s }", "34: delay: goes only with 'answer: delay'"},
      {"dns: { answer: timeout, addresses: [10.0.0.1] }", "38: addresses: goes only with 'answer: address'"},
      {"dns: { answer: delay, delay: 0s }", "32: delay: must be longer than zero"},
      {"dns: { answer: address, addresses: [10.0.0.0/8] }", "39: addresses: '10.0.0.0/8' is not an address"},
      {"dns: { answer: timeout, names: [] }", "34: names: the list is empty"},
      {"dns: { answer: timeout, names: ['a b'] }", "35: names: 'a b' is not a name or a pattern"},
      {"dns: { answer: timeout, names: [a..b] }", "35: names: 'a..b' is not a name"},
      {"dns: { answer: timeout, every: 2, first: 3 }",
       "37: dns has both 'every' and 'first'; give at most one of probability, every, first, bursts"},
      {"dns: { answer: timeout, traffic: { protocol: udp } }", "27: unknown key 'traffic' in dns"},
  });
}

TEST(NetworkFaultErrors, FiltersThatContradictThemselves) {
  const std::string ports = "need 'protocol: tcp' or 'protocol: udp' beside them";
  expect_errors({
      {"partition: { traffic: { ports: [1] } }", "34: ports: " + ports},
      {"partition: { traffic: { localPorts: [1], protocol: icmp } }", "39: localPorts: " + ports},
      {"partition: { traffic: { localPorts: [1], protocol: any } }", "39: localPorts: " + ports},
      {"connect-error: { error: EACCES, traffic: { ports: [1] } }", "53: ports: " + ports},
      {"partition: { traffic: { localPorts: [], protocol: tcp } }", "39: localPorts: the list is empty"},
      {"partition: { traffic: { localPorts: [9-1], protocol: tcp } }",
       "40: localPorts: '9-1' runs backwards"},
      {"partition: { traffic: { peers: [] } }", "34: peers: the list is empty"},
      {"partition: { traffic: { except: [] } }", "35: except: the list is empty"},
      {"partition: { traffic: { shareOf: connections } }", "36: shareOf: needs a share beside it"},
      {"partition: { traffic: { share: 0% } }", "34: share: must be above 0%"},
      {"partition: { traffic: { share: 1%, shareOf: bytes } }", "47: shareOf: 'bytes' is unknown"},
      {"partition: { traffic: { direction: out } }", "38: direction: 'out' is unknown"},
      {"reject: { traffic: { direction: ingress } }", "35: direction: this fault is about what the target"},
      {"reject: { traffic: { direction: both } }", "35: direction: this fault is about what the target"},
      {"connect-error: { error: EACCES, traffic: { direction: both } }",
       "57: direction: this fault is about"},
      {"connect-error: { error: EACCES, traffic: { localPorts: [1], protocol: tcp } }",
       "58: localPorts: the target's own port is not known yet when it connects"},
      {"reset: { traffic: { direction: ingress } }", "34: direction: a connection is reset as a whole"},
      {"reset: { traffic: { direction: egress } }", "34: direction: a connection is reset as a whole"},
      {"reset: { traffic: { protocol: udp } }", "33: protocol: this fault is about tcp connections; udp has"},
      {"reset: { traffic: { protocol: icmp } }",
       "33: protocol: this fault is about tcp connections; icmp has"},
  });
}

TEST(NetworkFaultErrors, AnExceptThatLeavesNoPeer) {
  const std::string nothing = "except: leaves no peer, so the fault could never act";
  for (const char* filter :
       {"peers: [10.0.0.1], except: [10.0.0.1]", "peers: [10.0.0.1, 10.0.0.2], except: [10.0.0.0/24]",
        "peers: [10.0.0.0/24], except: [10.0.0.128/25, 10.0.0.0/25]",
        "peers: ['fd00::/64'], except: ['::/0']", "except: [0.0.0.0/0, '::/0']",
        "peers: [h, 'pid:7'], except: ['pid:7', h]", "peers: [h, 10.0.0.1], except: [h, 0.0.0.0/0]"}) {
    EXPECT_THAT(refusal_of(std::string("partition: { traffic: { ") + filter + " } }"), HasSubstr(nothing))
        << filter;
  }
  for (const char* filter : {"peers: [10.0.0.0/24], except: [10.0.0.1]", "except: [0.0.0.0/0]",
                             "peers: [10.0.0.1, 10.0.0.2], except: [10.0.0.1]",
                             "peers: [h], except: [0.0.0.0/0]", "peers: [10.0.0.1], except: [h]"}) {
    EXPECT_EQ(refusal_of(std::string("partition: { traffic: { ") + filter + " } }"), "") << filter;
  }
}

TEST(NetworkFaultErrors, TooManyPeers) {
  const auto with_peers = [](int count) {
    std::string peers = "h0";
    for (int i = 1; i < count; ++i) peers += ", h" + std::to_string(i);
    return refusal_of("partition: { traffic: { peers: [" + peers + "] } }");
  };
  EXPECT_EQ(with_peers(64), "");
  EXPECT_THAT(with_peers(65), StartsWith("f.yaml:6:34: peers: more than 64"));
}

TEST(NetworkFaultErrors, TooManyAddressesOfAFamily) {
  const auto with = [](int ipv4, int ipv6) {
    std::string list;
    for (int i = 0; i < ipv4; ++i) list += "10.0.0." + std::to_string(i) + ", ";
    for (int i = 0; i < ipv6; ++i) list += "'fd00::" + std::to_string(i) + "', ";
    list.resize(list.size() - 2);
    return refusal_of("dns: { answer: address, addresses: [" + list + "] }");
  };
  EXPECT_EQ(with(8, 8), "");
  EXPECT_THAT(with(9, 0), HasSubstr("addresses: more than 8 of IPv4"));
  EXPECT_THAT(with(1, 9), HasSubstr("addresses: more than 8 of IPv6"));
}

TEST(NetworkFaultErrors, SeedPulseAndPriority) {
  expect_errors({
      {"priority: 1001, reject: {}", "13: priority: '1001' is not a whole number from -1000 to 1000"},
      {"priority: -1001, reject: {}", "13: priority: '-1001' is not a whole number"},
      {"priority: high, reject: {}", "13: priority: 'high' is not a whole number"},
      {"priority: '5', reject: {}", "13: priority: '5' is not a whole number"},
      {"seed: 1.5, reject: {}", "9: seed: '1.5' is not a whole number"},
      {"loss: { probability: 1%, seed: 3 }", "28: unknown key 'seed' in loss"},
      {"pulse: {}, reject: {}", "10: pulse: is empty; it takes on, off"},
      {"pulse: { on: 1s }, reject: {}", "10: pulse: key 'off' is missing"},
      {"pulse: { on: 1us, off: 1s }, reject: {}", "16: on: 1us is too short; the minimum is 1ms"},
      {"pulse: { on: 1s, off: 0s }, reject: {}", "25: off: must be longer than zero"},
      {"pulse: { on: 10s, off: 1s }, reject: {}", "16: on: 10s is not below the fault's 10s"},
  });
}

TEST(NetworkFaultErrors, TogetherWithoutAFaultOfItsOwn) {
  const StatusOr<Experiment> read = parse_experiment(
      "apiVersion: faultline/v1\nkind: Experiment\nname: x\n"
      "steadyState: { probes: [ { name: p, tcp: { address: 'h:1' } } ] }\n"
      "method:\n"
      "  - together:\n"
      "      - serial: [ { fault: { name: a, target: 'pid:1', for: 1s, reject: {} } } ]\n",
      "x.yaml");
  EXPECT_EQ(message_of(read.status()),
            "x.yaml:7:7: together: none of its steps is a fault that could be armed");
}

}  // namespace
}  // namespace faultline
