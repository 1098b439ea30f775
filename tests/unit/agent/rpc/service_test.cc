#include "agent/rpc/service.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/engine/engine_lab.h"

namespace faultline {
namespace {

using google::protobuf::util::TimeUtil;
using testing::apply_request;
using namespace std::chrono_literals;

// The service over an engine with a fake kind, asked over a channel inside the process.
class Service : public testing::EngineLab {
 protected:
  Service() {
    grpc::ServerBuilder builder;
    builder.RegisterService(service.get());
    server = builder.BuildAndStart();
    stub = v1::Agent::NewStub(server->InProcessChannel({}));
  }
  ~Service() override {
    server->Shutdown(std::chrono::system_clock::now());
    server->Wait();
  }
  static std::int64_t wall_ns() {
    return std::chrono::duration_cast<Nanos>(wall_now().time_since_epoch()).count();
  }

  std::unique_ptr<v1::Agent::Service> service = make_agent_service(*engine);
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<v1::Agent::Stub> stub;
};

TEST_F(Service, TellsTheNodesClockAsOfTheCall) {
  for (int i = 0; i < 3; ++i) {
    grpc::ClientContext context;
    v1::ClockResponse clock;
    const std::int64_t before = wall_ns();
    ASSERT_TRUE(stub->Clock(&context, {}, &clock).ok());
    EXPECT_GE(TimeUtil::TimestampToNanoseconds(clock.now()), before);
    EXPECT_LE(TimeUtil::TimestampToNanoseconds(clock.now()), wall_ns());
  }
}

TEST_F(Service, AnErrorKeepsItsCodeAndText) {
  grpc::ClientContext context;
  v1::ApplyResponse response;
  const grpc::Status status = stub->Apply(&context, apply_request("f1", 2h), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "duration is 7200 s; this agent allows at most 3600 s");
}

// The interval is long, so what comes before it is over comes because something has happened.
TEST_F(Service, AWatchTellsAtOnceThatAnArmedFaultHasStartedAndThatItHasEnded) {
  auto request = apply_request("f1", 1h);
  *request.mutable_start_at() = TimeUtil::NanosecondsToTimestamp(wall_ns() + 200'000'000);
  ASSERT_TRUE(engine->apply(request).ok());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 20s);
  v1::WatchRequest watch;
  *watch.mutable_interval() = testing::to_proto(1h);
  const auto reader = stub->Watch(&context, watch);
  v1::WatchResponse told;
  ASSERT_TRUE(reader->Read(&told));
  ASSERT_EQ(told.faults(0).state(), v1::FAULT_STATE_ARMED);
  ASSERT_TRUE(reader->Read(&told));
  EXPECT_EQ(told.faults(0).state(), v1::FAULT_STATE_ACTIVE);
  reverted("f1");
  ASSERT_TRUE(reader->Read(&told));
  EXPECT_EQ(told.faults(0).state(), v1::FAULT_STATE_ENDED);
  context.TryCancel();
  EXPECT_FALSE(reader->Read(&told));
}

}  // namespace
}  // namespace faultline
