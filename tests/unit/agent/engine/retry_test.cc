#include <gmock/gmock.h>

#include "tests/unit/agent/engine/engine_lab.h"

namespace faultline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

// What could not be removed is tried again.
class Retry : public testing::EngineLab {
 protected:
  Retry() : EngineLab(EngineOptions{.retry_after = 20ms, .retries = 3}) {}
  void wait_and_tick(Nanos span) {
    std::this_thread::sleep_for(span);
    engine->tick();
  }
  int reverts() const {
    int count = 0;
    for (const std::string& event : kind->events()) count += event == "revert 1";
    return count;
  }
  const Status busy = errno_status(EBUSY, "delete qdisc");
};

TEST_F(Retry, ResidueIsToldUntilItIsGone) {
  kind->no_revert = busy;
  ASSERT_TRUE(apply("f1").ok());
  EXPECT_EQ(reverted("f1").residue_size(), 2);
  wait_and_tick(25ms);
  EXPECT_EQ(reverted("f1").residue_size(), 2) << "still there";
  EXPECT_EQ(reverts(), 2);
  kind->no_revert = ok_status();
  wait_and_tick(45ms);
  const v1::FaultStatus end = reverted("f1");
  EXPECT_TRUE(end.residue_checked());
  EXPECT_THAT(end.residue(), IsEmpty());
  EXPECT_EQ(end.end_reason(), v1::END_REASON_REVERTED);
  EXPECT_THAT(kind->events(), ElementsAre("apply 1", "stop 1", "revert 1", "revert 1", "revert 1", "gone 1"));
}

TEST_F(Retry, WaitsTwiceAsLongEachTime) {
  kind->no_revert = busy;
  ASSERT_TRUE(apply("f1").ok());
  reverted("f1");
  engine->tick();
  EXPECT_EQ(reverts(), 1) << "not before its time";
  wait_and_tick(21ms);
  EXPECT_EQ(reverts(), 2);
  wait_and_tick(25ms);
  EXPECT_EQ(reverts(), 2) << "40 ms this time";
  wait_and_tick(20ms);
  EXPECT_EQ(reverts(), 3);
}

TEST_F(Retry, GivesUpInTheEndAndKeepsTelling) {
  kind->no_revert = busy;
  ASSERT_TRUE(apply("f1").ok());
  reverted("f1");
  for (int i = 0; i < 8; ++i) wait_and_tick(90ms);
  EXPECT_EQ(kind->in_force(), 0u);
  EXPECT_EQ(reverts(), 5) << "at the end, three times again, and once more as the object goes";
  EXPECT_EQ(reverted("f1").residue_size(), 2);
}

TEST_F(Retry, AStateThatCouldNotBeReadIsReadAgain) {
  kind->snapshots = {ok_status(), make_error(StatusCode::kInternal, "list qdiscs")};
  ASSERT_TRUE(apply("f1").ok());
  EXPECT_FALSE(reverted("f1").residue_checked());
  wait_and_tick(25ms);
  EXPECT_TRUE(reverted("f1").residue_checked());
  EXPECT_EQ(reverts(), 1) << "that had worked";
}

TEST_F(Retry, TheEnginesEndTriesOnceMore) {
  kind->no_revert = busy;
  ASSERT_TRUE(apply("f1").ok());
  reverted("f1");
  kind->no_revert = ok_status();
  engine.reset();
  EXPECT_EQ(reverts(), 2);
}

}  // namespace
}  // namespace faultline
