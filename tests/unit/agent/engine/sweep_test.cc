#include <gtest/gtest.h>

#include "agent/engine/journal.h"
#include "tests/support/temp_dir.h"

namespace faultline {
namespace {

using testing::TempDir;
using Json = nlohmann::json;

struct Sweep : ::testing::Test {
  TempDir dir;
  std::unique_ptr<Journal> journal = Journal::open(dir.path()).value();

  std::uint64_t intend(const std::string& kind, int place) {
    return journal->intend({.kind = kind, .where = {{"place", place}}}).value();
  }
  // What a later agent would find.
  std::vector<int> places_after_restart() {
    journal.reset();
    journal = Journal::open(dir.path()).value();
    std::vector<int> places;
    for (const auto& [entry, record] : journal->unsettled()) places.push_back(record.where.at("place"));
    return places;
  }
};

TEST_F(Sweep, UndoesEachEntryWithTheRowOfItsKindOldestFirstAndSettlesIt) {
  intend("net_tree", 1);
  intend("cgroup_knob", 2);
  intend("net_tree", 3);
  std::vector<std::string> undone;
  const auto row = [&](std::string_view kind) {
    return StickyUndo{.kind = kind, .undo = [&undone, kind](const Json& where) {
                        undone.push_back(fmt::format("{} {}", kind, where.at("place").get<int>()));
                        return ok_status();
                      }};
  };
  EXPECT_TRUE(sweep(*journal, {row("cgroup_knob"), row("net_tree")}).empty());
  EXPECT_EQ(undone, (std::vector<std::string>{"net_tree 1", "cgroup_knob 2", "net_tree 3"}));
  EXPECT_TRUE(journal->unsettled().empty());
  EXPECT_TRUE(places_after_restart().empty());
}

TEST_F(Sweep, AFailureIsToldAndKeepsItsEntryAndNoOther) {
  intend("net_tree", 1);
  intend("net_tree", 2);
  intend("net_tree", 3);
  const auto failures =
      sweep(*journal, {{.kind = "net_tree", .undo = [](const Json& where) {
                          return where.at("place") == 2 ? errno_status(EBUSY, "delete qdisc") : ok_status();
                        }}});
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0], "net_tree {\"place\":2}: delete qdisc: Device or resource busy");
  EXPECT_EQ(places_after_restart(), std::vector<int>{2});

  const StickyUndo works{.kind = "net_tree", .undo = [](const Json&) { return ok_status(); }};
  EXPECT_TRUE(sweep(*journal, {works}).empty());
  EXPECT_TRUE(places_after_restart().empty());
}

TEST_F(Sweep, StateOfAnUnknownKindIsKeptForAnAgentThatKnowsIt) {
  intend("nap_pages", 1);
  const auto failures = sweep(*journal, {});
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_NE(failures[0].find("unknown kind of state \"nap_pages\""), std::string::npos);
  EXPECT_EQ(places_after_restart(), std::vector<int>{1});
}

TEST_F(Sweep, AnEmptyJournalHasNothingToSweep) {
  const StickyUndo never{.kind = "net_tree", .undo = [](const Json&) {
                           ADD_FAILURE() << "nothing was intended";
                           return ok_status();
                         }};
  EXPECT_TRUE(sweep(*journal, {never}).empty());
}

}  // namespace
}  // namespace faultline
