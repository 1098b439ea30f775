// The client against a real gRPC server on a unix socket, in this process.
#include "controller/clients/agent_client.h"

#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "common/clock.h"
#include "common/unique_fd.h"
#include "controller/clients/connect_cure.h"
#include "faultline/v1/agent.grpc.pb.h"
#include "tests/support/temp_dir.h"

namespace faultline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ScriptedService final : public v1::Agent::Service {
 public:
  grpc::Status Capabilities(grpc::ServerContext*, const v1::CapabilitiesRequest*,
                            v1::CapabilitiesResponse* response) override {
    response->set_kernel_release("6.12");
    return grpc::Status::OK;
  }
  grpc::Status Apply(grpc::ServerContext*, const v1::ApplyRequest*, v1::ApplyResponse*) override {
    return {grpc::StatusCode::NOT_FOUND, "no container fl-demo-gateway"};
  }
  grpc::Status Renew(grpc::ServerContext* context, const v1::RenewRequest*, v1::RenewResponse*) override {
    while (!context->IsCancelled()) std::this_thread::sleep_for(milliseconds(10));  // frozen
    return grpc::Status::CANCELLED;
  }
  grpc::Status Clock(grpc::ServerContext*, const v1::ClockRequest*, v1::ClockResponse* response) override {
    if (!tells_clock) return {grpc::StatusCode::UNIMPLEMENTED, "no clock"};
    if (++clock_calls == 1) std::this_thread::sleep_for(milliseconds(50));  // the first one is slow
    *response->mutable_now() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(
        std::chrono::duration_cast<Nanos>((wall_now() + kAhead).time_since_epoch()).count());
    return grpc::Status::OK;
  }

  static constexpr seconds kAhead{3600};
  std::atomic<bool> tells_clock = true;
  std::atomic<int> clock_calls = 0;

  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    v1::WatchResponse response;
    response.add_faults()->set_id("a");
    while (!context->IsCancelled() && writer->Write(response)) {
      if (!request->ids().empty()) return grpc::Status::OK;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return grpc::Status::OK;
  }
};

class AgentClientTest : public ::testing::Test {
 protected:
  AgentClientTest() : address_{"unix:" + dir_.path() + "/agent.sock", "", "", ""} {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_.address, grpc::InsecureServerCredentials());
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    client_ = *make_agent_client(address_);
  }
  ~AgentClientTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  testing::TempDir dir_;
  AgentAddress address_;
  ScriptedService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<AgentClient> client_;
};

TEST_F(AgentClientTest, AnswersComeThrough) {
  const StatusOr<v1::CapabilitiesResponse> answer = client_->capabilities();
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->kernel_release(), "6.12");
}

TEST_F(AgentClientTest, ErrorKeepsTheAgentsCodeAndWords) {
  const Status status = client_->apply(v1::ApplyRequest()).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(message_of(status), "no container fl-demo-gateway");
  EXPECT_EQ(client_->list().status().code(), StatusCode::kUnimplemented);
}

TEST_F(AgentClientTest, FrozenAgentMeetsTheDeadline) {
  const MonoTime before = mono_now();
  EXPECT_EQ(client_->renew(v1::RenewRequest()).status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_LT(mono_now() - before, seconds(20));
}

TEST_F(AgentClientTest, ClockIsToldByTheQuickestOfAFewCalls) {
  const StatusOr<NodeClock> clock = client_->clock();
  ASSERT_TRUE(clock.ok()) << clock.status().message();
  EXPECT_GT(service_.clock_calls, 3);
  EXPECT_LT(clock->uncertainty, milliseconds(25)) << "half of the slow one's";
  EXPECT_LE(clock->offset - clock->uncertainty, ScriptedService::kAhead);
  EXPECT_GE(clock->offset + clock->uncertainty, ScriptedService::kAhead);
  service_.tells_clock = false;
  EXPECT_EQ(client_->clock().status().code(), StatusCode::kUnimplemented);
}

TEST_F(AgentClientTest, WatchRunsUntilStopped) {
  std::stop_source stop;
  int updates = 0;
  const Status status =
      client_->watch(v1::WatchRequest(), stop.get_token(), [&](const v1::WatchResponse& told) {
        EXPECT_EQ(told.faults(0).id(), "a");
        if (++updates == 3) stop.request_stop();
      });
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_GE(updates, 3);
}

TEST_F(AgentClientTest, WatchTellsThatTheStreamEnded) {
  v1::WatchRequest once;
  once.add_ids("a");
  const Status status = client_->watch(once, std::stop_token(), [](const v1::WatchResponse&) {});
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
}

TEST(AgentClient, MissingAgentIsUnavailableAtOnce) {
  const testing::TempDir dir;
  const std::unique_ptr<AgentClient> client =
      *make_agent_client({"unix:" + dir.path() + "/none.sock", "", "", ""});
  const MonoTime before = mono_now();
  EXPECT_EQ(client->capabilities().status().code(), StatusCode::kUnavailable);
  EXPECT_LT(mono_now() - before, seconds(5));
}

// Listens at `path`.
UniqueFd bound_to(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof(name.sun_path) - 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  EXPECT_EQ(::listen(fd.get(), 1), 0);
  return fd;
}

// What the user is told who calls an agent at this socket.
std::string told_at(const std::string& path) {
  return message_of((*make_agent_client({"unix:" + path, "", "", ""}))->capabilities().status());
}

TEST(AgentClient, MissingAgentIsToldWithItsCure) {
  const testing::TempDir dir;
  const std::string none = dir.path() + "/none.sock";
  EXPECT_EQ(told_at(none),
            "agent at unix:" + none +
                ": no such socket; is faultline-agent running on this machine? Start it as root, or "
                "name its socket with --agent");

  const std::string left = dir.path() + "/left.sock";
  bound_to(left).reset();  // as of a killed agent
  EXPECT_EQ(told_at(left),
            "agent at unix:" + left +
                ": the socket is there, but nobody listens; has faultline-agent ended? Start it again "
                "as root");
}

TEST(ConnectCure, TellsRootsSocketToOthersAndCertificatesOverTcp) {
  EXPECT_EQ(
      connect_cure({"node-7:7443", "ca", "cert", "key"}, "refused"),
      "refused; is faultline-agent listening there, and was each side's certificate signed by the other's "
      "--tls-ca?");
  const testing::TempDir dir;
  const std::string path = dir.path() + "/roots.sock";
  const UniqueFd listens = bound_to(path);
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(path, std::filesystem::perms::none);
  std::string told;
  std::thread([&] {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0) {  // the bare call changes this thread alone
      ASSERT_EQ(::syscall(SYS_setresuid, kNobody, kNobody, kNobody), 0);
    }
    told = connect_cure({"unix:" + path, "", "", ""}, "");
  }).join();
  EXPECT_EQ(told, "permission denied; the socket is for root alone: run faultline as root");
}

TEST(AgentAddress, AcceptsWhatCanWork) {
  EXPECT_TRUE(check_address({"unix:/run/faultline/agent.sock", "", "", ""}).ok());
  EXPECT_TRUE(check_address({"node-7:7443", "ca", "cert", "key"}).ok());
  EXPECT_TRUE(check_address({"[fd00::1]:7443", "ca", "cert", "key"}).ok());
}

TEST(AgentAddress, RefusesWhatCannot) {
  const AgentAddress cases[] = {
      {"", "", "", ""},
      {"unix:", "", "", ""},
      {"unix:run/agent.sock", "", "", ""},
      {"unix:/" + std::string(200, 'x'), "", "", ""},
      {"unix:/run/agent.sock", "ca", "cert", "key"},
      {"node-7", "ca", "cert", "key"},
      {"node-7:", "ca", "cert", "key"},
      {":7443", "ca", "cert", "key"},
      {"node-7:0", "ca", "cert", "key"},
      {"node-7:65536", "ca", "cert", "key"},
      {"node-7:74x", "ca", "cert", "key"},
      {"node-7:7443", "", "", ""},
      {"node-7:7443", "ca", "cert", ""},
  };
  for (const AgentAddress& address : cases) {
    EXPECT_EQ(check_address(address).code(), StatusCode::kInvalidArgument) << address.address;
  }
}

TEST(AgentAddress, UnreadableCertificateIsRefused) {
  const StatusOr<std::unique_ptr<AgentClient>> client = make_agent_client(
      {"127.0.0.1:7443", "/nonexistent/ca.pem", "/nonexistent/c.pem", "/nonexistent/k.pem"});
  EXPECT_EQ(client.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(message_of(client.status()), "--tls-ca /nonexistent/ca.pem: cannot be read, or is empty");
}

}  // namespace
}  // namespace faultline
