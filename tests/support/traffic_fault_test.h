// What kernel tests of traffic faults have in common.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {

// As in the tests of delays: under emulation a round trip takes a few milliseconds, on a busy machine tens.
constexpr double kUndelayedMs = 150;

class TrafficFaultTest : public ::testing::Test {
 protected:
  // `kind`: which must be supported, or the test is skipped.
  explicit TrafficFaultTest(std::string kind) : kind_(std::move(kind)) {}

  void SetUp() override {
    for (const auto& kind : lab.kinds) {
      if (kind->name() != kind_) continue;
      const Status supported = kind->supported();
      REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    }
  }

  Status try_apply(const v1::FaultSpec& spec, const std::string& id = "f") {
    return lab.engine.apply(lab.request(spec, id)).status();
  }
  void apply(const v1::FaultSpec& spec, const std::string& id = "f") {
    const Status applied = try_apply(spec, id);
    ASSERT_TRUE(applied.ok()) << applied;
  }
  UdpResult udp(const std::string& peer, int count = 30, int interval_us = 2000, int wait_ms = 1000,
                int port = kPort) {
    return NetLab::udp(lab.net.target(), peer, port, count, interval_us, wait_ms);
  }
  // Nothing at all gets back.
  bool silent(const std::string& peer, int port = kPort) {
    return udp(peer, 10, 2000, 400, port).rtt_ms.empty();
  }
  // Everything gets back, and soon.
  bool untouched(const std::string& peer, int port = kPort) {
    const UdpResult result = udp(peer, 10, 2000, 2000, port);
    return result.received == 10 && result.rtt_ms.size() == 10 && result.median_ms() < kUndelayedMs;
  }
  // One of the counters that the kernel keeps for a network namespace: an independent witness.
  static std::uint64_t snmp(const std::string& netns, const std::string& protocol, const std::string& name) {
    const std::string all =
        shell("ip netns exec " + netns + " grep -h ^" + protocol + ": /proc/net/snmp /proc/net/netstat");
    std::istringstream names(all.substr(0, all.find('\n')));
    std::istringstream values(all.substr(all.find('\n') + 1));
    for (std::string n, value; names >> n && values >> value;) {
      if (n == name) return std::stoull(value);
    }
    throw std::runtime_error("no counter " + name);
  }
  // The devices are as before, and this many faults are still in force.
  void expect_nothing_left(const std::string& tc_before, std::size_t active) {
    EXPECT_EQ(lab.net.network_state(), tc_before);
    std::size_t still = 0;
    for (const auto& fault : lab.engine.list()) still += fault.state() != v1::FAULT_STATE_ENDED;
    EXPECT_EQ(still, active);
    if (active == 0) {
      EXPECT_TRUE(lab.journal->unsettled().empty());
    }
  }

  FaultLab lab;

 private:
  std::string kind_;
};

inline void set_ports(v1::NetworkFilter& traffic, v1::Protocol protocol, std::uint32_t first,
                      std::uint32_t last) {
  traffic.set_protocol(protocol);
  auto* ports = traffic.add_ports();
  ports->set_first(first);
  ports->set_last(last);
}

}  // namespace faultline::testing
