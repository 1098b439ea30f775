// The values of the traffic kinds' own messages, through the table as the agent uses it. Nothing here asks
// the kernel.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "agent/faults/table.h"

namespace faultline {
namespace {

class NoLog final : public StickyLog {
 public:
  StatusOr<std::uint64_t> intend(const StickyRecord&) override {
    ADD_FAILURE() << "a check touches nothing";
    return 0;
  }
  Status settle(std::uint64_t) override { return ok_status(); }
};

struct TrafficValues : ::testing::Test {
  NoLog log;
  TargetResolver targets = TargetResolver::over("/", {}).value();
  PeerLookup lookup{targets};
  NetSupport kernel;
  NetTraffic traffic{log, kernel, lookup, {}};
  FaultTable table = make_fault_table(traffic, lookup);

  Status check(const v1::FaultSpec& spec) {
    for (const auto& kind : table) {
      if (kind->which() == spec.kind_case()) return kind->check(spec);
    }
    return make_error(StatusCode::kInternal, "no such kind");
  }
  Status delay(std::int64_t latency_s, std::int32_t latency_ns, std::int64_t jitter_s = 0,
               std::int32_t jitter_ns = 0) {
    v1::FaultSpec spec;
    spec.mutable_delay()->mutable_latency()->set_seconds(latency_s);
    spec.mutable_delay()->mutable_latency()->set_nanos(latency_ns);
    spec.mutable_delay()->mutable_jitter()->set_seconds(jitter_s);
    spec.mutable_delay()->mutable_jitter()->set_nanos(jitter_ns);
    return check(spec);
  }
  Status loss(double probability) {
    v1::FaultSpec spec;
    spec.mutable_loss()->mutable_packets()->set_probability(probability);
    return check(spec);
  }
};

TEST_F(TrafficValues, EveryKindIsInTheTableOnceUnderItsFieldsName) {
  const auto* kinds = v1::FaultSpec::descriptor()->FindOneofByName("kind");
  ASSERT_EQ(static_cast<int>(table.size()), kinds->field_count());
  for (const auto& kind : table) {
    const auto* field = v1::FaultSpec::descriptor()->FindFieldByNumber(kind->which());
    ASSERT_NE(field, nullptr);
    EXPECT_EQ(field->json_name(), kind->name());
  }
}

TEST_F(TrafficValues, ADelayIsAboveZeroAndAtMostAMinute) {
  EXPECT_TRUE(delay(0, 1).ok());
  EXPECT_TRUE(delay(60, 0).ok());
  EXPECT_EQ(delay(0, 0).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(delay(-1, 0).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(delay(60, 1).code(), StatusCode::kInvalidArgument);
}

TEST_F(TrafficValues, ADelayThatOverflowsIsRefusedAndNotWrapped) {
  // 18446744074 s is 290 ms modulo 2^64 ns.
  for (const std::int64_t seconds : {std::int64_t{18'446'744'074}, std::numeric_limits<std::int64_t>::max(),
                                     std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_EQ(delay(seconds, 0).code(), StatusCode::kInvalidArgument) << seconds;
    EXPECT_EQ(delay(1, 0, seconds, 0).code(), StatusCode::kInvalidArgument) << seconds;
  }
}

TEST_F(TrafficValues, JitterBeyondWhatNetemKeepsIsRefused) {
  EXPECT_TRUE(delay(10, 0, 2, 0).ok());
  EXPECT_EQ(delay(10, 0, 2, 1).code(), StatusCode::kInvalidArgument);
}

TEST_F(TrafficValues, JitterIsAtMostTheLatency) {
  EXPECT_TRUE(delay(0, 200, 0, 200).ok());
  EXPECT_EQ(delay(0, 200, 0, 201).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(delay(0, 200, 0, -1).code(), StatusCode::kInvalidArgument);
}

TEST_F(TrafficValues, ALossIsAProbabilityAboveZero) {
  EXPECT_TRUE(loss(1.0).ok());
  EXPECT_TRUE(loss(1e-6).ok());
  for (const double probability : {0.0, -0.1, 1.0000001, 30.0, std::nan(""), -std::nan(""), HUGE_VAL}) {
    EXPECT_EQ(loss(probability).code(), StatusCode::kInvalidArgument) << probability;
  }
}

TEST_F(TrafficValues, ABurstFitsIntoTheLongestWait) {
  v1::FaultSpec spec;
  spec.mutable_rate()->set_bits_per_second(80'000);
  spec.mutable_rate()->set_burst_bytes(4'000);  // 400 ms, the usual longest wait
  EXPECT_TRUE(check(spec).ok()) << check(spec);
  spec.mutable_rate()->set_burst_bytes(4'001);
  EXPECT_EQ(check(spec).code(), StatusCode::kInvalidArgument);
  spec.mutable_rate()->mutable_max_wait()->set_seconds(1);
  EXPECT_TRUE(check(spec).ok());
}

TEST_F(TrafficValues, AFilterThatMakesNoSenseIsRefusedForEveryKind) {
  v1::FaultSpec spec;
  spec.mutable_delay()->mutable_latency()->set_seconds(1);
  spec.mutable_delay()->mutable_traffic()->add_peers("10.0.0.300");
  EXPECT_EQ(check(spec).code(), StatusCode::kInvalidArgument);
  spec.mutable_loss()->mutable_packets()->set_probability(0.5);
  spec.mutable_loss()->mutable_traffic()->add_ports()->set_first(80);
  EXPECT_EQ(check(spec).code(), StatusCode::kInvalidArgument);
}

// A journal may come from another version of the agent, or from a damaged disk.
TEST_F(TrafficValues, UndoingARecordOfAnotherShapeIsAnError) {
  using Json = nlohmann::json;
  for (const Json& where : {Json(), Json::object(), Json{{"netns", 1}}, Json{{"netns", "x"}, {"ifindex", 2}},
                            Json{{"netns", 1}, {"ifindex", Json::array()}}, Json("text")}) {
    EXPECT_EQ(NetTrees::undo_tree(where).code(), StatusCode::kInvalidArgument) << where;
    EXPECT_EQ(NetTrees::undo_detour(where).code(), StatusCode::kInvalidArgument) << where;
  }
}

}  // namespace
}  // namespace faultline
