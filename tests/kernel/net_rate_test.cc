#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

constexpr double kFrame = 14 + 20 + 8 + 16;  // bytes that a datagram of the lab takes on the link

v1::FaultSpec rate_spec(std::uint64_t bits_per_second, std::uint64_t burst, Nanos max_wait) {
  return towards_peer<v1::Rate>(&v1::FaultSpec::mutable_rate, [&](v1::Rate& rate) {
    rate.set_bits_per_second(bits_per_second);
    rate.set_burst_bytes(burst);
    *rate.mutable_max_wait() = duration(max_wait);
  });
}

class NetRate : public TrafficFaultTest {
 protected:
  NetRate() : TrafficFaultTest("rate") {}
};

TEST_F(NetRate, TheBandwidthIsWithinTenPercentOfTheRequestedAndSaysSo) {
  apply(rate_spec(100'000, 0, std::chrono::seconds(10)));
  const UdpResult result = udp(kPeer, 600, 1500, 5000);  // 310 kbit/s
  ASSERT_EQ(result.rtt_ms.size(), 600u) << "who need not wait too long is not dropped";
  std::vector<double> arrived_s;
  for (std::size_t i = 0; i < 600; ++i) {
    arrived_s.push_back(static_cast<double>(result.sent_ns[i]) / 1e9 + result.rtt_ms[i] / 1e3);
  }
  EXPECT_TRUE(std::is_sorted(arrived_s.begin(), arrived_s.end()));
  // What came at once, after the pause, does not count.
  const double seen = 500 * kFrame * 8 / (arrived_s[599] - arrived_s[99]);
  RecordProperty("bits_per_second", std::to_string(seen));
  EXPECT_NEAR(seen, 100'000, 10'000);
  const v1::Achieved achieved = lab.revert().achieved(0);
  EXPECT_EQ(achieved.requested(), 100);
  EXPECT_NEAR(achieved.median(), 100, 10) << achieved.DebugString();
  EXPECT_GT(achieved.samples(), 400u);
}

TEST_F(NetRate, AStreamGetsThatBandwidth) {
  constexpr std::size_t kBytes = 600'000;
  apply(rate_spec(2'000'000, 0, std::chrono::seconds(2)));
  const StreamResult result = NetLab::stream(lab.net.target(), kPeer, kPort, kBytes);
  EXPECT_EQ(result.back, kBytes);
  EXPECT_EQ(result.wrong, 0u);
  const double payload = 8 * static_cast<double>(kBytes) / result.seconds;
  RecordProperty("payload_bits_per_second", std::to_string(payload));
  EXPECT_NEAR(payload * 1514 / 1448, 2e6, 2e5);  // with the headers of full segments
  const v1::Achieved achieved = lab.revert().achieved(0);
  EXPECT_NEAR(achieved.median(), 2000, 200) << achieved.DebugString();
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
  EXPECT_LE(passed, allowed + kFrame);
  EXPECT_GE(passed, 0.8 * allowed);
  EXPECT_GT(more.loss(), 0.1);
  EXPECT_LT(*std::max_element(more.rtt_ms.begin(), more.rtt_ms.end()), 1e3 * kMaxWait + 200);
}

}  // namespace
}  // namespace faultline::testing
