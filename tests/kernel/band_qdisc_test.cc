// Each kind of band qdisc, on its own: what the kernel says of it, and what it does to packets, seen from the
// far end.
#include "agent/kernel/band_qdisc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "agent/kernel/net_support.h"
#include "tests/support/kernel_test.h"
#include "tests/support/veth_lab.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint32_t kBand = 2;
constexpr std::uint32_t kOtherBand = 5;
constexpr std::uint32_t kSteered = kTreeHandle | kBand;
constexpr int kWireHeaders = 14 + 20 + 8;
constexpr NetemParams kCorrelated{
    .latency = milliseconds(150), .jitter = milliseconds(30), .correlation = 0.9, .seed = 7};

class BandQdisc : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = NetSupport().band(NetemParams{});
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    ASSERT_TRUE(add_tree(socket, ifindex).ok());
  }
  void add(const BandParams& params, std::uint32_t band = kBand) {
    const Status added = add_band_qdisc(socket, ifindex, band, params);
    ASSERT_TRUE(added.ok()) << added;
  }

  void TearDown() override { EXPECT_TRUE(remove_tree(socket, ifindex).ok()); }
  static void TearDownTestSuite() { lab_.reset(); }

  VethLab& lab = shared();
  NetlinkSocket& socket = lab.near_socket();
  const int ifindex = lab.near_device().ifindex;

 private:
  static VethLab& shared() {
    if (!lab_) lab_ = std::make_unique<VethLab>();  // slow under emulation
    return *lab_;
  }
  static inline std::unique_ptr<VethLab> lab_;
};

std::vector<double> delays_in_order(std::vector<Arrival> arrivals) {
  std::sort(arrivals.begin(), arrivals.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  std::vector<double> delays;
  for (const Arrival& arrival : arrivals) delays.push_back(arrival.delay_ms);
  return delays;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double covariance(const std::vector<double>& values, std::size_t lag) {
  const double m = mean(values);
  double sum = 0;
  for (std::size_t i = lag; i < values.size(); ++i) sum += (values[i] - m) * (values[i - lag] - m);
  return sum / static_cast<double>(values.size() - lag);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class BandJitter : public BandQdisc, public ::testing::WithParamInterface<JitterShape> {};

TEST_P(BandJitter, HasTheMeanTheDeviationAndTheMedianOfItsShape) {
  constexpr double kLatencyMs = 150, kJitterMs = 30;
  constexpr int kPackets = 2000;
  add(NetemParams{.latency = milliseconds(150), .jitter = milliseconds(30), .shape = GetParam(), .seed = 7});
  const double longest = kLatencyMs + longest_of(GetParam()) * kJitterMs + 15;
  std::vector<double> delays;
  // Where the busy machine took the guest's processors away for a while, its measurement is worth nothing.
  for (int tries = 0; tries < 4; ++tries) {
    delays = delays_in_order(lab.datagrams(kSteered, kPackets, 1000, 100, 1000));
    ASSERT_EQ(delays.size(), static_cast<std::size_t>(kPackets));
    if (*std::max_element(delays.begin(), delays.end()) < longest) break;
  }
  const double deviation = std::sqrt(covariance(delays, 0));
  RecordProperty("deviation_ms", std::to_string(deviation));
  RecordProperty("mean_ms", std::to_string(mean(delays)));
  RecordProperty("median_ms", std::to_string(median(delays)));
  const double expected = kJitterMs * deviation_of(GetParam());
  EXPECT_NEAR(deviation, expected, 0.15 * expected);
  EXPECT_NEAR(mean(delays), kLatencyMs, 0.05 * kLatencyMs);
  EXPECT_NEAR(median(delays), kLatencyMs + kJitterMs * median_of(GetParam()), 0.05 * kLatencyMs);
  EXPECT_LT(*std::max_element(delays.begin(), delays.end()), longest);
}

INSTANTIATE_TEST_SUITE_P(Shapes, BandJitter,
                         ::testing::Values(JitterShape::kUniform, JitterShape::kNormal, JitterShape::kPareto,
                                           JitterShape::kParetoNormal));

class BandCorrelation : public BandQdisc, public ::testing::WithParamInterface<JitterShape> {
 protected:
  // Where the busy machine took the guest's processors away for a while, its measurement is worth nothing.
  std::vector<double> measured(const NetemParams& params) {
    std::vector<double> delays;
    for (int tries = 0; tries < 4; ++tries) {
      const Status removed = remove_band_qdisc(socket, ifindex, kBand);
      EXPECT_TRUE(removed.ok() || removed.code() == StatusCode::kNotFound) << removed;
      add(params);
      delays = delays_in_order(lab.datagrams(kSteered, kPackets, 1000, 100, 1000));
      EXPECT_EQ(delays.size(), static_cast<std::size_t>(kPackets));
      const double longest = 150 + longest_of(params.shape) * 30 + 15;
      if (*std::max_element(delays.begin(), delays.end()) < longest) break;
    }
    return delays;
  }

  static constexpr int kPackets = 2000;
};

TEST_P(BandCorrelation, DelaysAreAsMuchAlikeAsAskedAndSpreadAsTheirShape) {
  for (const double correlation : {0.5, 0.9}) {
    NetemParams params = kCorrelated;
    params.correlation = correlation;
    params.shape = GetParam();
    const auto delays = measured(params);
    const double lag_1 = covariance(delays, 1) / covariance(delays, 0);
    const double lag_2 = covariance(delays, 2) / covariance(delays, 0);
    const std::string asked = std::to_string(static_cast<int>(100 * correlation));
    RecordProperty("lag_1_of_" + asked, std::to_string(lag_1));
    RecordProperty("lag_2_of_" + asked, std::to_string(lag_2));
    RecordProperty("deviation_ms_at_" + asked, std::to_string(std::sqrt(covariance(delays, 0))));
    RecordProperty("mean_ms_at_" + asked, std::to_string(mean(delays)));
    EXPECT_NEAR(lag_1, correlation, 0.1);
    EXPECT_NEAR(lag_2, correlation * correlation, 0.15);
    // Correlated packets tell of the distribution what fewer would: 2000 at 90 % what 105 would.
    const double expected = 30 * deviation_of(GetParam());
    EXPECT_NEAR(mean(delays), 150,
                4 * expected / std::sqrt(2000 * (1 - correlation) / (1 + correlation)) + 5);
    EXPECT_NEAR(std::sqrt(covariance(delays, 0)), expected, 0.35 * expected);
  }
}

TEST_P(BandCorrelation, TheSameSeedDrawsTheSameGradesOnEveryKernel) {
  NetemParams params = kCorrelated;
  params.shape = GetParam();
  const auto alike = [](const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean(a)) * (b[i] - mean(b));
    return sum / std::sqrt(covariance(a, 0) * covariance(b, 0)) / static_cast<double>(a.size());
  };
  const auto first = measured(params);
  const auto again = measured(params);
  params.seed = 8;
  const auto other = measured(params);
  RecordProperty("again", std::to_string(alike(first, again)));
  RecordProperty("other", std::to_string(alike(first, other)));
  EXPECT_GT(alike(first, again), 0.9);
  EXPECT_LT(alike(first, other), 0.5);
}

INSTANTIATE_TEST_SUITE_P(Shapes, BandCorrelation,
                         ::testing::Values(JitterShape::kUniform, JitterShape::kPareto));

TEST_F(BandQdisc, CorrelatedDelaysComeAndGoWithTheirBandAsOne) {
  add(kCorrelated);
  add(BlackholeParams{}, kOtherBand);
  const std::string seen = lab.tc("qdisc show");
  EXPECT_THAT(seen, HasSubstr("qdisc prio fa22: parent fa17:2 bands 16"));
  EXPECT_THAT(seen, HasSubstr("qdisc netem fb20: parent fa22:1 "));
  EXPECT_THAT(seen, HasSubstr("qdisc netem fb2f: parent fa22:10 "));
  EXPECT_EQ(lab.datagrams(kSteered, 100, 500, 100, 500).size(), 100u);
  const auto band = band_qdisc(socket, ifindex, kBand);
  ASSERT_TRUE(band.ok()) << band.status();
  EXPECT_EQ(band->sent, 100u);
  EXPECT_TRUE(remove_band_qdisc(socket, ifindex, kBand).ok());
  EXPECT_THAT(lab.tc("qdisc show"), Not(HasSubstr("fb2")));
  EXPECT_TRUE(band_qdisc(socket, ifindex, kOtherBand).ok());
}

TEST_F(BandQdisc, NetemIsWhatTcSeesOfIt) {
  add(NetemParams{.latency = std::chrono::microseconds(500), .jitter = std::chrono::microseconds(200)});
  const std::string seen = lab.tc("-s -d qdisc show");
  EXPECT_THAT(seen, ContainsRegex("qdisc netem fa22: parent fa17:2 limit 1000 delay (499|500)us +200us"));
}

TEST_F(BandQdisc, JitterOfSecondsKeepsItsMean) {
  // netem's own uniform draw would be some 0.26 s short here.
  add(NetemParams{.latency = milliseconds(1600), .jitter = milliseconds(1500)});
  const auto delays = delays_in_order(lab.datagrams(kSteered, 2000, 500, 100, 3500));
  ASSERT_EQ(delays.size(), 2000u);
  EXPECT_NEAR(mean(delays), 1600, 80);  // four standard errors
}

TEST_F(BandQdisc, NetemDuplicatesEveryPacket) {
  add(NetemParams{.duplicate = true});
  EXPECT_THAT(lab.tc("-d qdisc show"), HasSubstr("duplicate 100%"));
  EXPECT_EQ(lab.datagrams(kSteered, 100, 500, 100, 300, 3).size(), 200u);
  EXPECT_EQ(lab.datagrams(0, 100, 500, 100, 300, 3).size(), 100u);
}

TEST_F(BandQdisc, NetemTurnsOverOneBitOfEveryPacket) {
  constexpr int kPackets = 200, kSize = 1400;
  add(NetemParams{.corrupt = true});
  EXPECT_THAT(lab.tc("-d qdisc show"), HasSubstr("corrupt 100%"));
  const auto arrivals = lab.datagrams(kSteered, kPackets, 500, kSize, 500);
  // Where a header was hit, the packet does not arrive.
  EXPECT_GT(arrivals.size(), kPackets * 0.9);
  std::size_t payload_hit = 0;
  for (const Arrival& arrival : arrivals) {
    const int bits = std::accumulate(arrival.payload.begin(), arrival.payload.end(), 0,
                                     [](int sum, unsigned char byte) { return sum + std::popcount(byte); });
    EXPECT_LE(bits, 1);
    payload_hit += bits == 1;
  }
  EXPECT_GT(payload_hit, kPackets * 0.9);
}

TEST_F(BandQdisc, ADuplicatingNetemBesideAnotherIsRefusedClearlyOrWorks) {
  for (const bool duplicating_first : {true, false}) {
    add(NetemParams{.latency = milliseconds(1), .duplicate = duplicating_first});
    const Status second =
        add_band_qdisc(socket, ifindex, kOtherBand, NetemParams{.duplicate = !duplicating_first});
    RecordProperty(duplicating_first ? "second_plain" : "second_duplicating", second.ToString());
    if (second.ok()) {
      EXPECT_TRUE(remove_band_qdisc(socket, ifindex, kOtherBand).ok());
    } else {
      EXPECT_EQ(second.code(), StatusCode::kFailedPrecondition);
      EXPECT_THAT(message_of(second), HasSubstr("allows no packet-duplicating fault beside"));
      EXPECT_EQ(band_qdisc(socket, ifindex, kOtherBand).status().code(), StatusCode::kNotFound);
    }
    ASSERT_TRUE(remove_band_qdisc(socket, ifindex, kBand).ok());
  }
}

TEST_F(BandQdisc, ADuplicatingNetemLivesWithTheOtherKinds) {
  add(NetemParams{.duplicate = true});
  add(BlackholeParams{}, kOtherBand);
  add(TbfParams{.bytes_per_second = 1'000'000, .max_wait = milliseconds(400)}, kOtherBand + 1);
}

TEST_F(BandQdisc, BlackholeDropsSilentlyAndCounts) {
  add(BlackholeParams{});
  EXPECT_THAT(lab.tc("-s -d qdisc show"), HasSubstr("qdisc blackhole fa22: parent fa17:2"));
  // datagrams() fails the test if one send() does.
  EXPECT_TRUE(lab.datagrams(kSteered, 100, 500, 100, 300).empty());
  EXPECT_EQ(band_qdisc(socket, ifindex, kBand)->drops, 100u);
  EXPECT_EQ(lab.datagrams(0, 100, 500, 100, 300).size(), 100u);
}

class BandRate : public BandQdisc, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(BandRate, PassesDatagramsAtTheRateAskedFor) {
  constexpr int kSize = 1000;
  const double rate = static_cast<double>(GetParam());
  add(TbfParams{.bytes_per_second = GetParam(), .max_wait = milliseconds(2000)});
  const int count = static_cast<int>(rate * 2.5 / (kSize + kWireHeaders));
  const auto arrivals = lab.datagrams(kSteered, count, 0, kSize, 3000);
  ASSERT_GT(arrivals.size(), 20u);
  // After the burst, which passes at once.
  const auto skip = static_cast<std::size_t>(burst_of({.bytes_per_second = GetParam()}, 1500) / kSize + 2);
  const double seconds = arrivals.back().at_s - arrivals[skip].at_s;
  const double achieved = static_cast<double>(arrivals.size() - 1 - skip) * (kSize + kWireHeaders) / seconds;
  RecordProperty("achieved", std::to_string(achieved));
  EXPECT_NEAR(achieved, rate, 0.10 * rate);
  EXPECT_GE(band_qdisc(socket, ifindex, kBand)->bytes, arrivals.size() * (kSize + kWireHeaders));
}

INSTANTIATE_TEST_SUITE_P(Rates, BandRate, ::testing::Values(32'000, 250'000, 2'000'000));

TEST_F(BandQdisc, ATokenBucketCutsWhatSegmentationOffloadMadeLargerThanItsBurst) {
  constexpr double kRate = 500'000;
  add(TbfParams{.bytes_per_second = 500'000, .burst_bytes = 1, .max_wait = milliseconds(400)});
  EXPECT_THAT(lab.tc("-s -d qdisc show"), HasSubstr("qdisc tbf fa22: parent fa17:2 rate 4Mbit burst 1564b"));
  constexpr double kPayloadShare = 1448.0 / 1514;
  const double achieved = lab.stream_rate(kSteered, 1'500'000) / kPayloadShare;
  RecordProperty("achieved", std::to_string(achieved));
  EXPECT_LT(achieved, 1.10 * kRate);
  EXPECT_GT(achieved, 0.5 * kRate);  // the smallest burst there is: a late timer costs
}

TEST_F(BandQdisc, ATokenBucketTakes64BitRates) {
  add(TbfParams{.bytes_per_second = 12'500'000'000, .max_wait = milliseconds(1)});
  EXPECT_THAT(lab.tc("-d qdisc show"), HasSubstr("rate 100Gbit"));
}

TEST_F(BandQdisc, WhoWouldWaitLongerThanAllowedIsDropped) {
  constexpr int kSize = 1000;
  add(TbfParams{.bytes_per_second = 100'000, .max_wait = milliseconds(300)});
  const auto arrivals = lab.datagrams(kSteered, 200, 100, kSize, 1000);
  EXPECT_LT(arrivals.size(), 60u);
  const auto delays = delays_in_order(arrivals);
  EXPECT_LT(median(delays), 400);
  EXPECT_EQ(band_qdisc(socket, ifindex, kBand)->drops, 200 - arrivals.size());
}

TEST_F(BandQdisc, ABandThatIsTakenAndADeviceWithoutATreeAreErrors) {
  add(BlackholeParams{});
  EXPECT_EQ(add_band_qdisc(socket, ifindex, kBand, TbfParams{.bytes_per_second = 1000}).code(),
            StatusCode::kAlreadyExists);
  EXPECT_FALSE(add_band_qdisc(socket, 1, kBand, BlackholeParams{}).ok());
  EXPECT_EQ(add_band_qdisc(socket, 9999, kBand, TbfParams{.bytes_per_second = 1000}).code(),
            StatusCode::kNotFound);
  EXPECT_TRUE(remove_band_qdisc(socket, ifindex, kBand).ok());
  EXPECT_EQ(remove_band_qdisc(socket, ifindex, kBand).code(), StatusCode::kNotFound);
  EXPECT_EQ(band_qdisc(socket, ifindex, kBand).status().code(), StatusCode::kNotFound);
}

TEST_F(BandQdisc, TheKernelIsAskedForEachKindByItself) {
  const TbfParams tbf{.bytes_per_second = 1'000'000, .max_wait = milliseconds(400)};
  for (const BandParams& params :
       {BandParams(NetemParams{}), BandParams(kCorrelated), BandParams(tbf), BandParams(BlackholeParams{})}) {
    EXPECT_TRUE(NetSupport().band(params).ok()) << kind_of(params) << NetSupport().band(params);
  }
}

// The kernel would take it, and let everything pass.
TEST_F(BandQdisc, ATokenBucketWithoutARateIsRefused) {
  EXPECT_EQ(add_band_qdisc(socket, ifindex, kBand, TbfParams{}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(band_qdisc(socket, ifindex, kBand).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace faultline::testing
