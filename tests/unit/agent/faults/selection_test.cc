#include "agent/faults/selection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace faultline {
namespace {

v1::Selection by_chance(double probability) {
  v1::Selection selection;
  selection.set_probability(probability);
  return selection;
}

v1::Selection bursts(double enter, double leave) {
  v1::Selection selection;
  selection.mutable_bursts()->set_enter_bad(enter);
  selection.mutable_bursts()->set_leave_bad(leave);
  return selection;
}

std::string refusal(const v1::Selection& selection) {
  const Status status = check_selection(selection, "loss");
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << selection.ShortDebugString();
  return message_of(status);
}

// The numbers of those that are hit, of the first `count`.
std::vector<int> hits(const v1::Selection& selection, int count, std::uint64_t seed = 1) {
  const fl_selection to = to_selection(selection);
  std::vector<int> numbers;
  std::uint64_t memory = 0;
  for (int i = 0; i < count; ++i) {
    if (fl_selected(&to, seed, memory)) numbers.push_back(i);
    memory = fl_selection_next(&to, seed, memory);
  }
  return numbers;
}

TEST(Selection, EveryHitsTheNthAndItsMultiples) {
  v1::Selection selection;
  selection.set_every(3);
  EXPECT_EQ(hits(selection, 10), (std::vector<int>{2, 5, 8}));
}

TEST(Selection, FirstHitsTheFirstOnly) {
  v1::Selection selection;
  selection.set_first(2);
  EXPECT_EQ(hits(selection, 10), (std::vector<int>{0, 1}));
}

TEST(Selection, ChanceHitsItsShareAndCertaintyAll) {
  EXPECT_EQ(hits(by_chance(1.0), 1000).size(), 1000u);
  // Four standard deviations of the binomial distribution.
  EXPECT_NEAR(static_cast<double>(hits(by_chance(0.2), 10000).size()), 2000.0,
              4 * std::sqrt(10000 * 0.2 * 0.8));
  EXPECT_NE(hits(by_chance(0.2), 100, 1), hits(by_chance(0.2), 100, 2)) << "the seed makes the choice";
}

TEST(Selection, OneThatSaysNothingHitsAll) {
  EXPECT_EQ(hits({}, 100).size(), 100u);
}

TEST(Selection, BurstsHitTheShareOfTheBadStateInRuns) {
  const auto numbers = hits(bursts(0.05, 0.25), 20000);
  // In the bad state for enter / (enter + leave) of the time, 1 / leave packets at a time.
  EXPECT_NEAR(static_cast<double>(numbers.size()) / 20000, 0.05 / 0.30, 0.02);
  int runs = 1;
  for (std::size_t i = 1; i < numbers.size(); ++i) runs += numbers[i] != numbers[i - 1] + 1;
  EXPECT_NEAR(static_cast<double>(numbers.size()) / runs, 4.0, 0.5);
}

TEST(Selection, BurstsHitInEachStateAsTold) {
  v1::Selection selection = bursts(1.0, 1.0);  // good, bad, good, ...
  selection.mutable_bursts()->set_hit_in_bad(0.0);
  selection.mutable_bursts()->set_hit_in_good(1.0);
  EXPECT_EQ(hits(selection, 6), (std::vector<int>{0, 2, 4}));
}

TEST(Selection, RefusesValuesOutOfRangeAndNamesThem) {
  for (const double value : {0.0, -0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(refusal(by_chance(value)), "loss: probability must be above 0 and at most 1");
    EXPECT_EQ(refusal(bursts(value, 0.5)), "loss: bursts: enter_bad must be above 0 and at most 1");
    EXPECT_EQ(refusal(bursts(0.5, value)), "loss: bursts: leave_bad must be above 0 and at most 1");
  }
  v1::Selection none;
  none.set_every(0);
  EXPECT_EQ(refusal(none), "loss: every must be at least 1");
  none.set_first(0);
  EXPECT_EQ(refusal(none), "loss: first must be at least 1");
  v1::Selection share = bursts(0.5, 0.5);
  share.mutable_bursts()->set_hit_in_bad(1.5);
  EXPECT_EQ(refusal(share), "loss: bursts: hit_in_bad must be between 0 and 1");
  share.mutable_bursts()->set_hit_in_bad(1.0);
  share.mutable_bursts()->set_hit_in_good(-1.0);
  EXPECT_EQ(refusal(share), "loss: bursts: hit_in_good must be between 0 and 1");
}

TEST(Selection, RefusesOneThatNeverHits) {
  v1::Selection selection = bursts(0.5, 0.5);
  selection.mutable_bursts()->set_hit_in_bad(0.0);
  EXPECT_EQ(refusal(selection), "loss: bursts that hit neither in the bad state nor in the good one");
  EXPECT_EQ(refusal({}), "loss: needs one of probability, every, first and bursts");
}

TEST(Selection, AcceptsTheEndsOfTheRanges) {
  EXPECT_TRUE(check_selection(by_chance(1.0), "loss").ok());
  EXPECT_TRUE(check_selection(by_chance(1e-9), "loss").ok());
  EXPECT_TRUE(check_selection(bursts(1.0, 1.0), "loss").ok());
}

TEST(Selection, SaysItselfToPeople) {
  EXPECT_EQ(describe(by_chance(0.1)), "10 % of them");
  EXPECT_EQ(describe({}), "each of them");
  v1::Selection selection;
  selection.set_every(1);
  EXPECT_EQ(describe(selection), "each of them");
  for (const auto& [n, text] :
       {std::pair{2, "2nd"}, {3, "3rd"}, {11, "11th"}, {12, "12th"}, {21, "21st"}, {113, "113th"}}) {
    selection.set_every(static_cast<std::uint64_t>(n));
    EXPECT_EQ(describe(selection), fmt::format("every {} of them", text));
  }
  selection.set_first(5);
  EXPECT_EQ(describe(selection), "the first 5 of them");
  EXPECT_EQ(describe(bursts(0.05, 0.25)),
            "bursts of them (begun with 5 %, ended with 25 %; 100 % hit within, 0 % outside)");
}

}  // namespace
}  // namespace faultline
