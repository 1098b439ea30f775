#include "bpf/abi/dice.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace {

// The first outputs of SplitMix64's reference implementation (https://prng.di.unimi.it/splitmix64.c).
TEST(Dice, AreTheUpperHalfOfSplitMix64) {
  constexpr std::array<std::uint64_t, 4> kSeed0 = {0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f,
                                                   0xf88bb8a8724c81ec};
  constexpr std::array<std::uint64_t, 5> kSeed1234567 = {6457827717110365317u, 3203168211198807973u,
                                                         9817491932198370423u, 4593380528125082431u,
                                                         16408922859458223821u};
  for (std::size_t n = 0; n < kSeed0.size(); ++n) EXPECT_EQ(fl_dice(0, n), kSeed0[n] >> 32) << n;
  for (std::size_t n = 0; n < kSeed1234567.size(); ++n) {
    EXPECT_EQ(fl_dice(1234567, n), kSeed1234567[n] >> 32) << n;
  }
}

TEST(Dice, WrapAroundAtTheLargestSeedAndDraw) {
  // seed + (n + 1) * gamma modulo 2^64: seed -1 and draw 0 is the state gamma - 1, and draw -1 adds nothing.
  EXPECT_EQ(fl_dice(UINT64_MAX, UINT64_MAX), fl_dice(UINT64_MAX - 0x9e3779b97f4a7c15u, 0));
}

TEST(Dice, FallBelowAThresholdAsOftenAsItAsks) {
  constexpr int kDraws = 100'000;
  constexpr std::uint64_t kTenth = 429496730;  // 0.1 * 2^32
  for (const std::uint64_t seed : {0u, 1u, 2u, 42u}) {
    int below = 0;
    for (std::uint64_t n = 0; n < kDraws; ++n) below += fl_dice(seed, n) < kTenth;
    EXPECT_NEAR(below, kDraws / 10, 400) << "seed " << seed;  // four standard deviations: 380
  }
}

}  // namespace
