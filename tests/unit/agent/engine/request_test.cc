#include "agent/engine/request.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace faultline {
namespace {

using google::protobuf::Duration;
using namespace std::chrono_literals;

const EngineOptions kOptions{.max_duration = 1h, .max_lease = 1min};

Duration span(std::int64_t seconds, std::int32_t nanos = 0) {
  Duration duration;
  duration.set_seconds(seconds);
  duration.set_nanos(nanos);
  return duration;
}

v1::ApplyRequest request(const std::string& id, const Duration& duration) {
  v1::ApplyRequest message;
  message.set_id(id);
  *message.mutable_duration() = duration;
  return message;
}

std::string refusal(const v1::ApplyRequest& message) {
  const Status status = check_apply(message, kOptions);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << message.ShortDebugString();
  return message_of(status);
}

TEST(Request, AcceptsIdsOfTheAgreedForm) {
  for (const std::string& id : {std::string("a"), std::string("run-7.slow_db"), std::string(64, 'Z')}) {
    EXPECT_TRUE(check_apply(request(id, span(1)), kOptions).ok()) << id;
  }
}

TEST(Request, RefusesOtherIds) {
  for (const std::string& id :
       {std::string(), std::string(65, 'a'), std::string("a b"), std::string("../x"), std::string("a/b"),
        std::string("caf\xc3\xa9"), std::string("a\n"), std::string("a\0b", 3), std::string("a=b")}) {
    EXPECT_EQ(refusal(request(id, span(1))).rfind("id \"", 0), 0u) << id;
  }
}

TEST(Request, RefusesAFaultWithoutDuration) {
  v1::ApplyRequest message;
  message.set_id("a");
  EXPECT_EQ(refusal(message), "duration is missing: every fault expires");
}

TEST(Request, RefusesDurationsOfZeroOrLess) {
  for (const Duration& duration : {span(0), span(-1), span(0, -1), span(5, -1), span(-5, 1),
                                   span(std::numeric_limits<std::int64_t>::min())}) {
    EXPECT_EQ(refusal(request("a", duration)), "duration must be above zero and at most 3600 s");
  }
}

TEST(Request, AcceptsTheMaximumToTheNanosecondAndNoMore) {
  EXPECT_TRUE(check_apply(request("a", span(3600)), kOptions).ok());
  EXPECT_TRUE(check_apply(request("a", span(0, 1)), kOptions).ok());
  EXPECT_NE(refusal(request("a", span(3600, 1))).find("this agent allows at most 3600 s"), std::string::npos);
}

// Values whose nanoseconds do not fit into 64 bits, some of which would wrap around to something small.
TEST(Request, RefusesDurationsThatOverflow) {
  for (const std::int64_t seconds :
       {std::int64_t{9'223'372'037}, std::int64_t{18'446'744'074}, std::int64_t{36'893'488'148},
        std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_NE(refusal(request("a", span(seconds))).find("duration"), std::string::npos) << seconds;
    EXPECT_FALSE(checked_lease(span(seconds), kOptions).ok()) << seconds;
  }
}

TEST(Request, TheLeaseHasAMaximumOfItsOwn) {
  v1::ApplyRequest message = request("a", span(3600));
  *message.mutable_lease() = span(60);
  EXPECT_TRUE(check_apply(message, kOptions).ok());
  *message.mutable_lease() = span(61);
  EXPECT_EQ(refusal(message), "lease is 61 s; this agent allows at most 60 s");
  *message.mutable_lease() = span(0);
  EXPECT_EQ(refusal(message), "lease must be above zero and at most 60 s");
}

TEST(Request, WithoutALeaseTheDurationIsIt) {
  v1::ApplyRequest message = request("a", span(1800));
  EXPECT_EQ(lease_of(message, kOptions), 30min);
  EXPECT_EQ(duration_of(message), 30min);
  *message.mutable_lease() = span(2, 500'000'000);
  EXPECT_EQ(lease_of(message, kOptions), 2500ms);
}

TEST(Request, ALeaseOfARenewalIsCheckedLikeAnyOther) {
  const auto lease = checked_lease(span(5), kOptions);
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(*lease, 5s);
  EXPECT_EQ(checked_lease(span(0), kOptions).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(checked_lease(span(60, 1), kOptions).status().code(), StatusCode::kInvalidArgument);
}

google::protobuf::Timestamp at(std::int64_t seconds, std::int32_t nanos = 0) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  time.set_nanos(nanos);
  return time;
}

struct RequestStart : ::testing::Test {
  static constexpr std::int64_t kNow = 1'700'000'000;
  const WallTime wall{std::chrono::duration_cast<WallTime::duration>(std::chrono::seconds(kNow))};
  const MonoTime mono{5000s};
  StatusOr<MonoTime> start(const google::protobuf::Timestamp& time) const {
    v1::ApplyRequest message = request("a", span(1));
    *message.mutable_start_at() = time;
    return start_of(message, wall, mono);
  }
};

TEST_F(RequestStart, IsNowWhereNoneIsGiven) {
  EXPECT_EQ(start_of(request("a", span(1)), wall, mono).value(), mono);
}

TEST_F(RequestStart, IsTurnedIntoTheKernelsClockToTheNanosecond) {
  EXPECT_EQ(start(at(kNow + 3, 7)).value(), mono + 3s + 7ns);
  EXPECT_EQ(start(at(kNow + 600)).value(), mono + 600s);
}

TEST_F(RequestStart, IsNowWhereItHasJustPassed) {
  EXPECT_EQ(start(at(kNow - 1)).value(), mono);
  EXPECT_EQ(start(at(kNow - 1, 1)).value(), mono);
}

TEST_F(RequestStart, IsRefusedFarFromNow) {
  EXPECT_EQ(
      message_of(start(at(kNow + 600, 1)).status()),
      "start_at is 600.000 s ahead by this node's clock; it may be at most 1 s ago and at most 600 s ahead");
  for (const auto& time :
       {at(kNow - 2, 999'999'999), at(kNow + 601), at(0), at(-1), at(kNow, -1), at(kNow, 1'000'000'000),
        at(std::numeric_limits<std::int64_t>::max()), at(std::numeric_limits<std::int64_t>::min())}) {
    EXPECT_EQ(start(time).status().code(), StatusCode::kInvalidArgument) << time.ShortDebugString();
  }
}

}  // namespace
}  // namespace faultline
