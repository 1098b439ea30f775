#include "agent/faults/proto_time.h"

#include <gtest/gtest.h>

#include <limits>

namespace faultline {
namespace {

using namespace std::chrono_literals;

TEST(ProtoTime, IsToldInTheLargestUnitThatDividesIt) {
  EXPECT_EQ(time_text(2h), "2 h");
  EXPECT_EQ(time_text(90min), "90 min");
  EXPECT_EQ(time_text(5s), "5 s");
  EXPECT_EQ(time_text(1500ms), "1500 ms");
  EXPECT_EQ(time_text(500us), "0.5 ms");
  EXPECT_EQ(time_text(7ns), "7 ns");
}

TEST(ProtoTime, WhatDoesNotFitIntoNanosecondsIsRefusedAndNotWrapped) {
  constexpr TimeRange kRange{.least = 1ms, .most = 1min};
  google::protobuf::Duration time;
  time.set_nanos(1'000'000);
  EXPECT_TRUE(check_time(time, "x", kRange).ok());
  time.set_nanos(999'999);
  EXPECT_EQ(message_of(check_time(time, "x", kRange)), "x must be from 1 ms to 1 min");
  for (const std::int64_t seconds : {std::int64_t{18'446'744'074}, std::numeric_limits<std::int64_t>::max(),
                                     std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}}) {
    time.set_seconds(seconds);
    EXPECT_FALSE(check_time(time, "x", kRange).ok()) << seconds;
  }
}

}  // namespace
}  // namespace faultline
