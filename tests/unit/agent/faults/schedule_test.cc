#include "agent/faults/schedule.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

namespace faultline {
namespace {

using google::protobuf::util::TimeUtil;

v1::FaultSpec pulsing(std::int64_t on_us, std::int64_t off_us) {
  v1::FaultSpec spec;
  *spec.mutable_pulse()->mutable_on() = TimeUtil::MicrosecondsToDuration(on_us);
  *spec.mutable_pulse()->mutable_off() = TimeUtil::MicrosecondsToDuration(off_us);
  return spec;
}

fl_schedule schedule_of(const v1::FaultSpec& spec) {
  const Target target;
  return to_schedule({.spec = spec,
                      .target = target,
                      .start = MonoTime(Nanos(5'000)),
                      .deadline = MonoTime(Nanos(20'000'000))});
}

TEST(Schedule, IsInForceFromTheStartToTheDeadline) {
  const fl_schedule schedule = schedule_of({});
  EXPECT_FALSE(fl_in_force(&schedule, 4'999));
  EXPECT_TRUE(fl_in_force(&schedule, 5'000));
  EXPECT_TRUE(fl_in_force(&schedule, 19'999'999));
  EXPECT_FALSE(fl_in_force(&schedule, 20'000'000));
}

TEST(Schedule, APulseIsCountedFromTheStart) {
  const fl_schedule schedule = schedule_of(pulsing(1'000, 3'000));
  EXPECT_TRUE(fl_in_force(&schedule, 5'000));
  EXPECT_TRUE(fl_in_force(&schedule, 5'000 + 999'999));
  EXPECT_FALSE(fl_in_force(&schedule, 5'000 + 1'000'000));
  EXPECT_FALSE(fl_in_force(&schedule, 5'000 + 3'999'999));
  EXPECT_TRUE(fl_in_force(&schedule, 5'000 + 4'000'000));
}

TEST(Schedule, RefusesPulsesTooShortOrTooLong) {
  EXPECT_TRUE(check_pulse({}).ok());
  EXPECT_TRUE(check_pulse(pulsing(1'000, 3'600'000'000)).ok());
  EXPECT_EQ(message_of(check_pulse(pulsing(999, 1'000))), "pulse: on must be from 1 ms to 1 h");
  EXPECT_EQ(message_of(check_pulse(pulsing(1'000, 0))), "pulse: off must be from 1 ms to 1 h");
  EXPECT_FALSE(check_pulse(pulsing(-1'000, 1'000)).ok());
  v1::FaultSpec endless = pulsing(1'000, 1'000);
  endless.mutable_pulse()->mutable_off()->set_seconds(18'446'744'074);  // 2^64 ns, and a little more
  EXPECT_FALSE(check_pulse(endless).ok());
}

TEST(Schedule, SaysItselfToPeople) {
  EXPECT_EQ(describe_pulse({}), "");
  EXPECT_EQ(describe_pulse(pulsing(200'000, 800'000)), "on for 200 ms, off for 800 ms, from the start on");
}

}  // namespace
}  // namespace faultline
