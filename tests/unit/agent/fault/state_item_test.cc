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

}  // namespace
}  // namespace faultline
