#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/support/fault_examples.h"
#include "tests/support/one_processor.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

constexpr double kFrame = 14 + 20 + 8 + 16;  // bytes that a datagram of the lab takes on the link
constexpr double kTolerated = 0.1;

v1::FaultSpec rate_spec(std::uint64_t bits_per_second, std::uint64_t burst, Nanos max_wait) {
  return towards_peer<v1::Rate>(&v1::FaultSpec::mutable_rate, [&](v1::Rate& rate) {
    rate.set_bits_per_second(bits_per_second);
    rate.set_burst_bytes(burst);
    *rate.mutable_max_wait() = duration(max_wait);
  });
}

// The bucket that a fault without a burst gets: one packet, and what 10 ms bring.
struct Bucket {
  double bytes_per_second;
  double depth() const { return 1500 + 64 + 0.010 * bytes_per_second; }
  // A machine that stands still for longer than it takes to fill the bucket loses the rest.
  double full_after_s() const { return depth() / bytes_per_second; }
};

// When the last of these frames may leave the bucket at the earliest, each of them sent at its time; `at(i,
// due)` is told of every one.
template <typename At>
double last_due_s(const Bucket& bucket, const std::vector<double>& sent_s, At at) {
  double saved = bucket.depth(), now = sent_s.front();
  for (std::size_t i = 0; i < sent_s.size(); ++i) {
    const double then = std::max(now, sent_s[i]);
    saved = std::min(bucket.depth(), saved + bucket.bytes_per_second * (then - now)) - kFrame;
    now = then;
    if (saved < 0) {
      now -= saved / bucket.bytes_per_second;
      saved = 0;
    }
    at(i, now);
  }
  return now;
}

class NetRate : public TrafficFaultTest {
 protected:
  NetRate() : TrafficFaultTest("rate") {}

  void expect_told(double bits_per_second, const v1::Achieved& achieved, double lost_share) {
    const double kbits = bits_per_second / 1e3;
    EXPECT_EQ(achieved.requested(), kbits);
    EXPECT_LE(achieved.median(), (1 + kTolerated) * kbits) << achieved.DebugString();
    EXPECT_GE(achieved.median(), kbits / (1 + kTolerated + lost_share)) << achieved.DebugString();
    RecordProperty("samples", std::to_string(achieved.samples()));
    RecordProperty("achieved_kbits_per_second", std::to_string(achieved.median()));
  }

  // Packets that two processors let out of the bucket at the same moment may change their places.
  OneProcessor processor{{lab.net.target().pid(), lab.net.echo().pid()}};
};

TEST_F(NetRate, TheBandwidthIsWithinTenPercentOfTheRequestedAndSaysSo) {
  constexpr Bucket kBucket{.bytes_per_second = 12'500};
  apply(rate_spec(100'000, 0, std::chrono::seconds(10)));
  const UdpResult result = udp(kPeer, 600, 1500, 5000);  // 310 kbit/s
  ASSERT_EQ(result.rtt_ms.size(), 600u) << "who need not wait too long is not dropped";
  std::vector<double> sent_s, arrived_s;
  for (std::size_t i = 0; i < 600; ++i) {
    sent_s.push_back(static_cast<double>(result.sent_ns[i] - result.sent_ns[0]) / 1e9);
    arrived_s.push_back(sent_s[i] + result.rtt_ms[i] / 1e3);
  }
  EXPECT_TRUE(std::is_sorted(arrived_s.begin(), arrived_s.end()));
  const double due_s = last_due_s(kBucket, sent_s, [&](std::size_t i, double due) {
    EXPECT_GE(arrived_s[i], due - 1e-6) << "more than the bandwidth came through, datagram " << i;
  });
  const double lost_s = processor.stood_still_s(kBucket.full_after_s());
  RecordProperty("took_s", std::to_string(arrived_s.back()));
  RecordProperty("due_s", std::to_string(due_s));
  RecordProperty("lost_s", std::to_string(lost_s));
  EXPECT_LE(arrived_s.back(), (1 + kTolerated) * due_s + lost_s);
  const v1::Achieved achieved = lab.revert().achieved(0);
  expect_told(100'000, achieved, lost_s / due_s);
  EXPECT_GT(achieved.samples(), 400u);
}

TEST_F(NetRate, AStreamGetsThatBandwidth) {
  constexpr std::size_t kBytes = 600'000;
  constexpr Bucket kBucket{.bytes_per_second = 250'000};
  apply(rate_spec(2'000'000, 0, std::chrono::seconds(2)));
  const StreamResult result = NetLab::stream(lab.net.target(), kPeer, kPort, kBytes);
  EXPECT_EQ(result.back, kBytes);
  EXPECT_EQ(result.wrong, 0u);
  // With the headers of full segments; sent again is sent, too.
  const double sent =
      1514.0 / 1448 * (static_cast<double>(kBytes) + 1448.0 * static_cast<double>(result.retransmits));
  const double once = 1514.0 / 1448 * static_cast<double>(kBytes);
  const double lost_s = processor.stood_still_s(kBucket.full_after_s());
  RecordProperty("took_s", std::to_string(result.seconds));
  RecordProperty("lost_s", std::to_string(lost_s));
  RecordProperty("retransmits", std::to_string(result.retransmits));
  EXPECT_GE(result.seconds, (once - kBucket.depth()) / kBucket.bytes_per_second);
  EXPECT_LE(result.seconds, (1 + kTolerated) * sent / kBucket.bytes_per_second + lost_s);
  expect_told(2'000'000, lab.revert().achieved(0), lost_s * kBucket.bytes_per_second / sent);
}

// Half of each stream finds a full bucket, and leaves as fast as it comes.
TEST_F(NetRate, WhatTheBucketHadSavedIsNotTakenForTheBandwidth) {
  apply(rate_spec(2'000'000, 30'000, std::chrono::seconds(2)));
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(NetLab::stream(lab.net.target(), kPeer, kPort, 60'000).back, 60'000u);
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
  }
  const v1::Achieved achieved = lab.revert().achieved(0);
  RecordProperty("achieved_kbits_per_second", std::to_string(achieved.median()));
  EXPECT_GE(achieved.samples(), 30u);
  EXPECT_LE(achieved.median(), 2000 * (1 + kTolerated)) << achieved.DebugString();
}

TEST_F(NetRate, ABurstPassesAtOnceAndWhoWouldWaitTooLongIsDropped) {
  constexpr double kBurst = 12'000, kBytesPerSecond = 10'000, kMaxWait = 1.2;
  apply(rate_spec(80'000, 12'000, std::chrono::milliseconds(1200)));
  const UdpResult burst = udp(kPeer, 100, 500, 2000);  // 5,800 bytes
  EXPECT_EQ(burst.rtt_ms.size(), 100u);
  EXPECT_LT(burst.median_ms(), kUndelayedMs);
  const UdpResult more = udp(kPeer, 900, 300, 3000);  // 52,200 bytes
  EXPECT_EQ(more.refused, 0u) << "dropped silently";
  // The machine may take its time for sending; the bucket fills up meanwhile.
  const double took = static_cast<double>(more.sent_ns.back() - burst.sent_ns.front()) / 1e9;
  const double passed = kFrame * static_cast<double>(burst.rtt_ms.size() + more.rtt_ms.size());
  const double allowed = kBurst + kBytesPerSecond * (took + kMaxWait);
  const double paused = processor.stood_still_s(0.01);
  RecordProperty("took_s", std::to_string(took));
  RecordProperty("paused_s", std::to_string(paused));
  RecordProperty("passed_of_allowed", std::to_string(passed / allowed));
  RecordProperty("loss", std::to_string(more.loss()));
  EXPECT_LE(passed, allowed + kFrame);
  EXPECT_GE(passed, 0.8 * allowed);
  EXPECT_GT(more.loss(), 0.1);
  EXPECT_LT(*std::max_element(more.rtt_ms.begin(), more.rtt_ms.end()), 1e3 * (kMaxWait + paused) + 200);
}

}  // namespace
}  // namespace faultline::testing
