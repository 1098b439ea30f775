#include "controller/cli/progress.h"

#include <gtest/gtest.h>

#include "tests/unit/controller/runner/run_lab.h"

namespace faultline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ProgressTest : public ::testing::Test {
 protected:
  // Shows what `events` tell it, to the end.
  std::string shown(Terminal terminal, const std::function<void(Progress&)>& events) {
    std::string text;
    {
      Progress progress(lab_.experiment, mono_now(), terminal,
                        [&](const std::string& more) { text += more; });
      events(progress);
    }
    return text;
  }
  static Sample sample(HealthState state) {
    return {0, milliseconds(3100), milliseconds(112), Phase::kObserve, state, "200"};
  }
  static FaultOutcome fault(v1::FaultState state) {
    FaultOutcome fault;
    fault.name = "slow";
    fault.status.set_state(state);
    fault.status.set_resolved_target("cgroup /shop");
    fault.status.set_mechanism("netem");
    return fault;
  }

  testing::RunLab lab_;
};

TEST_F(ProgressTest, PlainLinesTellPhasesAndChangesOfHealth) {
  const std::string text = shown({}, [](Progress& progress) {
    progress.on_phase(Phase::kObserve, seconds(3));
    progress.on_sample(sample(HealthState::kHealthy));
    progress.on_sample(sample(HealthState::kHealthy));
    progress.on_sample(sample(HealthState::kDegraded));
  });
  EXPECT_EQ(text,
            "[   3.0 s] phase observe\n"
            "[   3.2 s] shop: HEALTHY (200, 112.0 ms)\n"
            "[   3.2 s] shop: HEALTHY -> DEGRADED (200, 112.0 ms)\n");
}

TEST_F(ProgressTest, PlainLinesTellCountersOfActiveFaults) {
  const std::string text = shown({}, [](Progress& progress) {
    progress.on_fault(fault(v1::FAULT_STATE_ACTIVE));
    progress.on_fault(fault(v1::FAULT_STATE_ACTIVE));
    progress.on_fault(fault(v1::FAULT_STATE_ENDED));
  });
  EXPECT_NE(text.find("slow: in force on cgroup /shop (netem)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("slow: evaluated 0, matched 0, injected 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("slow: ended\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("in force"), text.rfind("in force"));
}

TEST_F(ProgressTest, PlainLinesTellThatAFaultIsArmedThenInForceThenEnded) {
  const std::string text = shown({}, [](Progress& progress) {
    FaultOutcome armed = fault(v1::FAULT_STATE_ARMED);
    armed.planned_start = seconds(3600);
    progress.on_fault(armed);
    progress.on_fault(armed);
    progress.on_fault(fault(v1::FAULT_STATE_ACTIVE));
    progress.on_fault(fault(v1::FAULT_STATE_ENDED));
  });
  const std::size_t armed = text.find("slow: armed, starts in ");
  ASSERT_NE(armed, std::string::npos) << text;
  EXPECT_EQ(armed, text.rfind("slow: armed"));
  EXPECT_LT(armed, text.find("slow: in force on cgroup /shop (netem)\n"));
  EXPECT_LT(text.find("slow: in force"), text.find("slow: ended\n")) << text;
  EXPECT_EQ(text.find("slow: ended"), text.rfind("slow: ended")) << text;
}

TEST_F(ProgressTest, PlainLinesTellTheEndOfAFaultThatWasOnlyArmed) {
  const std::string text = shown({}, [](Progress& progress) {
    progress.on_fault(fault(v1::FAULT_STATE_ARMED));
    progress.on_fault(fault(v1::FAULT_STATE_ENDED));
  });
  EXPECT_NE(text.find("slow: ended\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("in force"), std::string::npos) << text;
}

TEST_F(ProgressTest, TerminalIsRedrawnInPlaceAndLeftClean) {
  const std::string text = shown({.live = true, .color = false}, [](Progress& progress) {
    progress.on_sample(sample(HealthState::kHealthy));
    std::this_thread::sleep_for(milliseconds(400));
    progress.on_interruption(Interruption::kSignal, "SIGINT");
  });
  EXPECT_NE(text.find("\x1b[2A\r\x1b[J"), std::string::npos) << text;
  EXPECT_EQ(text.find("\x1b[32m"), std::string::npos) << "no colours were wanted";
  // The last thing is the line that was noted, not a live block.
  EXPECT_EQ(text.substr(text.rfind("SIGINT")), "SIGINT; every fault is reverted first\n");
}

TEST_F(ProgressTest, WhatComesFromOutsideCannotSteerTheTerminal) {
  const std::string text = shown({}, [](Progress& progress) {
    Sample evil = sample(HealthState::kHealthy);
    evil.detail = "\x1b]0;owned\x07";
    progress.on_sample(evil);
  });
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
}

TEST_F(ProgressTest, StoppedTerminalHoldsUpNobody) {
  std::atomic<bool> go = false;
  Progress progress(lab_.experiment, mono_now(), {}, [&](const std::string&) {
    while (!go) std::this_thread::sleep_for(milliseconds(1));
  });
  for (int i = 0; i < 1000; ++i)
    progress.on_phase(Phase::kObserve, seconds(i));  // would never end if it waited
  go = true;
}

}  // namespace
}  // namespace faultline
