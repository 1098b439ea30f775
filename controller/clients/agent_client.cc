#include "controller/clients/agent_client.h"

#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <utility>

#include <vector>

#include "common/clock.h"
#include "controller/clients/connect_cure.h"
#include "faultline/v1/agent.grpc.pb.h"

namespace faultline {
namespace {

// How long a caller waits at most. Applying and reverting touch the kernel and prove it; the rest is quick.
// A node under stress, which is what we make, is slow to shake hands, with TLS above all.
constexpr std::chrono::milliseconds kConnectTimeout = std::chrono::seconds(5);
constexpr auto kQueryTimeout = std::chrono::seconds(10);
// A new agent tries each mechanism out in network namespaces of its own when it is first asked.
constexpr auto kCapabilitiesTimeout = std::chrono::seconds(30);
constexpr auto kRenewTimeout = std::chrono::seconds(2);
constexpr auto kClockTimeout = std::chrono::seconds(2);
constexpr int kClockReadings = 8;
constexpr auto kChangeTimeout = std::chrono::seconds(10);

StatusOr<std::string> read_pem(const std::string& flag, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || text.str().empty()) return invalid_argument("{} {}: cannot be read, or is empty", flag, path);
  return text.str();
}

StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials(const AgentAddress& address) {
  // A unix socket is guarded by its file's permissions.
  if (address.is_unix()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  FL_ASSIGN_OR_RETURN(options.pem_root_certs, read_pem("--tls-ca", address.tls_ca));
  FL_ASSIGN_OR_RETURN(options.pem_cert_chain, read_pem("--tls-cert", address.tls_cert));
  FL_ASSIGN_OR_RETURN(options.pem_private_key, read_pem("--tls-key", address.tls_key));
  return grpc::SslCredentials(options);
}

class GrpcAgentClient final : public AgentClient {
 public:
  GrpcAgentClient(AgentAddress address, std::shared_ptr<grpc::Channel> channel)
      : address_(std::move(address)), stub_(v1::Agent::NewStub(std::move(channel))) {}

  StatusOr<v1::CapabilitiesResponse> capabilities() override {
    return call<v1::CapabilitiesResponse>(&v1::Agent::Stub::Capabilities, v1::CapabilitiesRequest(),
                                          kCapabilitiesTimeout);
  }
  StatusOr<v1::ApplyResponse> apply(const v1::ApplyRequest& request) override {
    return call<v1::ApplyResponse>(&v1::Agent::Stub::Apply, request, kChangeTimeout);
  }
  StatusOr<v1::RenewResponse> renew(const v1::RenewRequest& request) override {
    return call<v1::RenewResponse>(&v1::Agent::Stub::Renew, request, kRenewTimeout);
  }
  StatusOr<v1::RevertResponse> revert(const v1::RevertRequest& request) override {
    return call<v1::RevertResponse>(&v1::Agent::Stub::Revert, request, kChangeTimeout);
  }
  StatusOr<v1::ListResponse> list() override {
    return call<v1::ListResponse>(&v1::Agent::Stub::List, v1::ListRequest(), kQueryTimeout);
  }

  StatusOr<NodeClock> clock() override {
    std::vector<ClockReading> readings;
    for (int i = 0; i < kClockReadings; ++i) {
      // The round trip is told by the monotonic clock: the wall clock may be set meanwhile.
      const MonoTime start = mono_now();
      ClockReading reading{.asked = wall_now().time_since_epoch(), .node = {}, .answered = {}};
      FL_ASSIGN_OR_RETURN(
          const v1::ClockResponse answer,
          call<v1::ClockResponse>(&v1::Agent::Stub::Clock, v1::ClockRequest(), kClockTimeout));
      reading.answered = reading.asked + (mono_now() - start);
      reading.node = Nanos(google::protobuf::util::TimeUtil::TimestampToNanoseconds(answer.now()));
      readings.push_back(reading);
    }
    return estimate_clock(readings);
  }

  Status watch(const v1::WatchRequest& request, const std::stop_token& stop,
               const std::function<void(const v1::WatchResponse&)>& on_update) override {
    grpc::ClientContext context;
    const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
    const std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> reader = stub_->Watch(&context, request);
    v1::WatchResponse response;
    while (reader->Read(&response)) on_update(response);
    const grpc::Status status = reader->Finish();
    if (stop.stop_requested()) return ok_status();
    if (status.ok())
      return make_error(StatusCode::kUnavailable, "agent at {} ended the stream", address_.address);
    return from_grpc(status);
  }

 private:
  template <typename Response, typename Request>
  StatusOr<Response> call(grpc::Status (v1::Agent::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                  Response*),
                          const Request& request, std::chrono::milliseconds timeout) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    Response response;
    FL_RETURN_IF_ERROR(from_grpc((stub_.get()->*method)(&context, request, &response)));
    return response;
  }

  Status from_grpc(const grpc::Status& status) {
    const auto code = static_cast<StatusCode>(status.error_code());  // the same numbers by definition
    if (code == StatusCode::kDeadlineExceeded)
      return make_error(code, "agent at {} does not answer", address_.address);
    if (code == StatusCode::kUnavailable) {
      // An agent that is lost later is another matter: nobody has to be told where it might be.
      return make_error(
          code, "agent at {}: {}", address_.address,
          has_answered_ ? status.error_message() : connect_cure(address_, status.error_message()));
    }
    has_answered_ = true;
    return status.ok() ? ok_status() : Status(code, status.error_message());
  }

  AgentAddress address_;
  std::atomic<bool> has_answered_ = false;
  std::unique_ptr<v1::Agent::Stub> stub_;
};

}  // namespace

StatusOr<std::unique_ptr<AgentClient>> make_agent_client(const AgentAddress& address) {
  FL_RETURN_IF_ERROR(check_address(address));
  FL_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ChannelCredentials> creds, credentials(address));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // The smallest back-off is also the longest that one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(kConnectTimeout.count()));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  return std::make_unique<GrpcAgentClient>(address,
                                           grpc::CreateCustomChannel(address.address, creds, arguments));
}

}  // namespace faultline
