#include "agent/fault/state_item.h"

#include <gtest/gtest.h>

namespace faultline {
namespace {

using Items = std::vector<StateItem>;
using Lines = std::vector<std::string>;

const StateItem kForeign{.text = "interface 2: qdisc fq_codel 8001:", .ours = false};
const StateItem kTree{.text = "interface 2: root qdisc prio fa17:", .ours = true};
const StateItem kBand{.text = "interface 2: netem in band 2", .ours = true};

TEST(Residue, NothingWhenTheStateIsTheSame) {
  EXPECT_EQ(residue({}, {}, {}), Lines{});
  EXPECT_EQ(residue({kForeign}, {kForeign}, {}), Lines{});
}

TEST(Residue, NamesWhatWasLeftBehind) {
  EXPECT_EQ(residue({kForeign}, {kForeign, kTree, kBand}, {}),
            (Lines{"left behind: " + kTree.text, "left behind: " + kBand.text}));
}

TEST(Residue, NamesWhatIsMissing) {
  EXPECT_EQ(residue({kForeign}, {}, {}), Lines{"missing: " + kForeign.text});
}

TEST(Residue, WhatANeighbourStillNeedsIsNotResidue) {
  EXPECT_EQ(residue({}, {kTree, kBand}, {kTree.text}), Lines{"left behind: " + kBand.text});
}

TEST(Residue, ANeighboursEndMeanwhileIsNotALoss) {
  EXPECT_EQ(residue({kTree, kBand}, {}, {}), Lines{});
}

TEST(Residue, OursThatWasThereBeforeIsStillResidueUnlessNeeded) {
  EXPECT_EQ(residue({kTree}, {kTree}, {}), Lines{"left behind: " + kTree.text});
}

TEST(Residue, AForeignItemDoesNotHideBehindAnOwnedName) {
  const StateItem disguised{.text = kTree.text, .ours = false};
  EXPECT_EQ(residue({}, {disguised}, {kTree.text}), Lines{"left behind: " + disguised.text});
}

TEST(Residue, AForeignItemThatChangedIsBothMissingAndNew) {
  const StateItem changed{.text = "interface 2: qdisc fq_codel 8002:", .ours = false};
  EXPECT_EQ(residue({kForeign}, {changed}, {}),
            (Lines{"left behind: " + changed.text, "missing: " + kForeign.text}));
}

TEST(Residue, ItemsOfOneTextAreCounted) {
  EXPECT_EQ(residue({kForeign}, {kForeign, kForeign}, {}), Lines{"left behind: " + kForeign.text});
  EXPECT_EQ(residue({kForeign, kForeign}, {kForeign}, {}), Lines{"missing: " + kForeign.text});
  EXPECT_EQ(residue({kForeign, kForeign}, {kForeign, kForeign}, {}), Lines{});
}

const StateItem kGround{.text = "interface 2 eth0 up", .ground = true};
const StateItem kMoved{.text = "interface 2 uplink7 up", .ground = true};

StateItem standing(const std::string& text, std::vector<std::string> grounds) {
  return {.text = text, .stands_on = std::move(grounds)};
}

TEST(Residue, OfWhatStandsOnTheSameGroundEveryDifferenceIsTold) {
  const StateItem route = standing("route dev eth0", {kGround.text});
  EXPECT_EQ(residue({kGround, route}, {kGround, route}, {}), Lines{});
  EXPECT_EQ(residue({kGround}, {kGround, route}, {}), Lines{"left behind: " + route.text});
  EXPECT_EQ(residue({kGround, route}, {kGround}, {}), Lines{"missing: " + route.text});
}

TEST(Residue, GroundsThemselvesAreNoState) {
  EXPECT_EQ(residue({kGround}, {kMoved}, {}), Lines{});
}

TEST(Residue, WhatGoesWithItsGroundOrComesWithOneIsOthers) {
  const StateItem old = standing("route dev eth0", {kGround.text});
  const StateItem renamed = standing("route dev uplink7", {kMoved.text});
  EXPECT_EQ(residue({kGround, old}, {}, {}), Lines{});
  EXPECT_EQ(residue({kGround, old}, {kMoved, renamed}, {}), Lines{});
}

TEST(Residue, WhatStandsOnSeveralGroundsGoesWithAnyOfThem) {
  const StateItem both = standing("route dev eth0, eth1", {kGround.text, "interface 3 eth1 up"});
  EXPECT_EQ(residue({kGround, {.text = "interface 3 eth1 up", .ground = true}, both}, {kGround}, {}),
            Lines{});
}

TEST(Residue, OursIsToldWhateverItStandsOn) {
  const StateItem route{.text = "route dev fa17-2", .ours = true, .stands_on = {"interface 9 fa17-2 up"}};
  EXPECT_EQ(residue({}, {route}, {}), Lines{"left behind: " + route.text});
}

}  // namespace
}  // namespace faultline
