#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <random>

#include "tests/unit/agent/engine/engine_lab.h"

namespace faultline {
namespace {

using testing::apply_request;
using ::testing::ElementsAre;
using namespace std::chrono_literals;

// Reverts wait at a gate until the test opens it.
class Threads : public testing::EngineLab {
 protected:
  void close_gate() {
    kind->during_revert = [this] {
      if (!seen.exchange(true)) entered.set_value();
      EXPECT_EQ(opened.wait_for(20s), std::future_status::ready);
    };
  }
  ~Threads() override { open_gate(); }
  void open_gate() {
    if (!std::exchange(is_open, true)) gate.set_value();
  }

  std::atomic<bool> seen = false;
  std::promise<void> entered;
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();
  bool is_open = false;
};

TEST_F(Threads, TwoRevertsOfOneFaultGetTheSameFinalStatus) {
  close_gate();
  ASSERT_TRUE(apply("f1").ok());
  auto first = std::async(std::launch::async, [&] { return revert({"f1"}, "first"); });
  entered.get_future().wait();
  auto second = std::async(std::launch::async, [&] { return revert({"f1"}, "second"); });
  EXPECT_EQ(second.wait_for(50ms), std::future_status::timeout)
      << "it answers with the end, so it waits for it";
  open_gate();
  const auto a = first.get();
  const auto b = second.get();
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->faults(0).state(), v1::FAULT_STATE_ENDED);
  EXPECT_EQ(a->faults(0).end_detail(), "first");
  EXPECT_EQ(a->SerializeAsString(), b->SerializeAsString());
  EXPECT_THAT(kind->events(), ElementsAre("apply 1", "stop 1", "revert 1", "gone 1"));
}

TEST_F(Threads, UntilTheEndIsProvedTheWorldSeesTheFaultActive) {
  close_gate();
  ASSERT_TRUE(apply("f1", 1h, 1min).ok());
  auto ending = std::async(std::launch::async, [&] { return revert({"f1"}); });
  entered.get_future().wait();
  EXPECT_THAT(listed(), ElementsAre("f1 active"));
  EXPECT_EQ(apply("f1").code(), StatusCode::kAlreadyExists) << "its id is not free yet";
  ASSERT_TRUE(renew({"f1"}, 1min).ok());
  EXPECT_EQ(kind->deadlines(1).size(), 2u) << "what is being ended is not renewed";
  engine->tick();
  engine->end_all(v1::END_REASON_SHUTDOWN, "");
  open_gate();
  ASSERT_TRUE(ending.get().ok());
  EXPECT_EQ(reverted("f1").end_reason(), v1::END_REASON_REVERTED);
  EXPECT_THAT(kind->events(), ElementsAre("apply 1", "stop 1", "revert 1", "gone 1"));
}

TEST_F(Threads, ASlowRevertHoldsUpNoOtherFault) {
  ASSERT_TRUE(apply("f1").ok());
  ASSERT_TRUE(apply("f2").ok());
  close_gate();
  auto slow = std::async(std::launch::async, [&] { return revert({"f1"}); });
  entered.get_future().wait();
  EXPECT_TRUE(renew({"f2"}, 1min).ok());
  EXPECT_TRUE(apply("f3").ok());
  EXPECT_THAT(listed(), ElementsAre("f1 active", "f2 active", "f3 active"));
  open_gate();
  ASSERT_TRUE(slow.get().ok());
  kind->during_revert = nullptr;
}

// Everything at once for a while; the fake kind counts what the contract of Fault rules out.
TEST_F(Threads, EveryFaultEndsExactlyOnceUnderConcurrentCalls) {
  restart({.max_duration = 1h, .max_lease = 1min, .remembered = 16});
  constexpr int kIds = 6;
  std::atomic<bool> done = false;
  std::atomic<int> applied = 0;
  std::atomic<int> trouble = 0;
  const auto id_of = [](unsigned n) { return "f" + std::to_string(n % kIds); };
  const auto ended = [](const v1::FaultStatus& fault) {
    return fault.state() == v1::FAULT_STATE_ENDED && fault.residue_checked() && fault.residue_size() == 0 &&
           fault.counters().injected() == 6;
  };

  std::vector<std::thread> threads;
  const auto work = [&](unsigned seed, auto step) {
    threads.emplace_back([&done, seed, step] {
      std::minstd_rand random(seed);
      while (!done) step(static_cast<unsigned>(random()));
    });
  };
  for (const unsigned seed : {1u, 2u}) {
    work(seed, [&](unsigned n) {
      // Some end by themselves at once, some live until they are reverted.
      const Status status = apply(id_of(n), n % 3 == 0 ? Nanos(1ms) : Nanos(1h));
      if (status.ok()) ++applied;
      if (!status.ok() && status.code() != StatusCode::kAlreadyExists) ++trouble;
    });
    work(seed + 10, [&](unsigned n) {
      const auto response = revert({id_of(n)});
      if (response.ok() && !ended(response->faults(0))) ++trouble;
      if (!response.ok() && response.status().code() != StatusCode::kNotFound) ++trouble;
    });
  }
  work(21, [&](unsigned n) {
    const auto response = renew({id_of(n), id_of(n + 1)}, 1s);
    if (!response.ok() && response.status().code() != StatusCode::kNotFound) ++trouble;
  });
  work(22, [&](unsigned) {
    for (const auto& fault : engine->list()) {
      if (fault.state() == v1::FAULT_STATE_ENDED && !ended(fault)) ++trouble;
    }
  });
  work(23, [&](unsigned n) {
    engine->tick();
    if (n % 64 == 0) engine->end_all(v1::END_REASON_REVERTED, "");
  });
  std::this_thread::sleep_for(700ms);
  done = true;
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(trouble, 0);
  EXPECT_GT(applied, 20) << "the threads hindered each other so much that this showed nothing";
  EXPECT_TRUE(revert_all().ok());
  EXPECT_EQ(kind->in_force(), 0u);
  EXPECT_EQ(kind->applied(), static_cast<std::size_t>(applied.load()));
  std::size_t reverts = 0;
  for (const std::string& event : kind->events()) reverts += event.starts_with("revert ");
  EXPECT_EQ(reverts, kind->applied());
}

}  // namespace
}  // namespace faultline
