// A fixture for the subcommands from end to end: an agent service on a unix socket and a web server, both in
// this process, and a folder for state and results.
#pragma once

#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "controller/cli/commands.h"
#include "faultline/v1/agent.grpc.pb.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_server.h"
#include "tests/unit/controller/runner/fake_agent.h"

namespace faultline::testing {

inline grpc::Status to_grpc(const Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), message_of(status)};
}

// Serves the fake agent of the runner's tests.
class FakeService final : public v1::Agent::Service {
 public:
  grpc::Status Capabilities(grpc::ServerContext*, const v1::CapabilitiesRequest*,
                            v1::CapabilitiesResponse* response) override {
    *response = *agent.capabilities();
    v1::KindSupport* delay = response->add_kinds();
    delay->set_kind("delay");
    delay->set_supported(all_supported);
    return grpc::Status::OK;
  }
  grpc::Status Apply(grpc::ServerContext*, const v1::ApplyRequest* request,
                     v1::ApplyResponse* response) override {
    return pass(agent.apply(*request), response);
  }
  grpc::Status Renew(grpc::ServerContext*, const v1::RenewRequest* request,
                     v1::RenewResponse* response) override {
    return pass(agent.renew(*request), response);
  }
  grpc::Status List(grpc::ServerContext*, const v1::ListRequest*, v1::ListResponse* response) override {
    return pass(agent.list(), response);
  }
  grpc::Status Clock(grpc::ServerContext*, const v1::ClockRequest*, v1::ClockResponse* response) override {
    *response->mutable_now() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(
        std::chrono::duration_cast<Nanos>(wall_now().time_since_epoch() + agent.clock_skew).count());
    return grpc::Status::OK;
  }
  grpc::Status Revert(grpc::ServerContext*, const v1::RevertRequest* request,
                      v1::RevertResponse* response) override {
    if (!request->all()) return pass(agent.revert(*request), response);
    agent.end_all(v1::END_REASON_REVERTED, request->reason());
    const v1::ListResponse ended = *agent.list();
    *response->mutable_faults() = ended.faults();
    return grpc::Status::OK;
  }

  FakeAgent agent;
  bool all_supported = true;

 private:
  template <typename T>
  grpc::Status pass(const StatusOr<T>& answer, T* response) {
    if (!answer.ok()) return to_grpc(answer.status());
    *response = *answer;
    return grpc::Status::OK;
  }
};

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() {
    ::setenv("XDG_STATE_HOME", (dir_.path() + "/state").c_str(), 1);
    global_.agent.address = "unix:" + dir_.path() + "/agent.sock";
    grpc::ServerBuilder builder;
    builder.AddListeningPort(global_.agent.address, grpc::InsecureServerCredentials());
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    write_experiment("");
  }
  ~CommandsTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  void write_experiment(const std::string& more, const std::string& length = "500ms") {
    std::ofstream(file_) << "apiVersion: faultline/v1\nkind: Experiment\nname: shop\n"
                         << "steadyState:\n  every: 20ms\n  baseline: 200ms\n  probes:\n"
                         << "    - { name: web, timeout: 20s, http: { url: \"" << web_.url("/") << "\" } }\n"
                         << "method:\n"
                         << "  - fault: { name: slow, target: \"cgroup:/shop\", for: " << length
                         << ", delay: { latency: 1ms } }\n"
                         << "recovery: { within: 20s, stable: 100ms }\n"
                         << more;
  }
  int run() { return run_command(global_, RunArgs{file_, out_, false}); }

  TempDir dir_;
  TinyServer web_{answers_http(200, "")};
  FakeService service_;
  std::unique_ptr<grpc::Server> server_;
  GlobalArgs global_;
  const std::string file_ = dir_.path() + "/shop.yaml";
  const std::string out_ = dir_.path() + "/out";
};

}  // namespace faultline::testing
