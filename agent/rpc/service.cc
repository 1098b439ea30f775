#include "agent/rpc/service.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <utility>

namespace faultline {
namespace {

// The codes of absl::Status and gRPC have the same numbers.
grpc::Status to_grpc(const Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message_of(status));
}

template <typename Response>
grpc::Status answer(StatusOr<Response> result, Response* response) {
  if (!result.ok()) return to_grpc(result.status());
  *response = std::move(*result);
  return grpc::Status::OK;
}

class AgentService : public v1::Agent::Service {
 public:
  explicit AgentService(Engine& engine) : engine_(engine) {}

  grpc::Status Capabilities(grpc::ServerContext*, const v1::CapabilitiesRequest*,
                            v1::CapabilitiesResponse* response) override {
    *response = engine_.capabilities();
    return grpc::Status::OK;
  }
  grpc::Status Apply(grpc::ServerContext*, const v1::ApplyRequest* request,
                     v1::ApplyResponse* response) override {
    return answer(engine_.apply(*request), response);
  }
  grpc::Status Renew(grpc::ServerContext*, const v1::RenewRequest* request,
                     v1::RenewResponse* response) override {
    return answer(engine_.renew(*request), response);
  }
  grpc::Status Revert(grpc::ServerContext*, const v1::RevertRequest* request,
                      v1::RevertResponse* response) override {
    return answer(engine_.revert(*request), response);
  }
  grpc::Status List(grpc::ServerContext*, const v1::ListRequest*, v1::ListResponse* response) override {
    for (auto& fault : engine_.list()) *response->add_faults() = std::move(fault);
    return grpc::Status::OK;
  }

  grpc::Status Clock(grpc::ServerContext*, const v1::ClockRequest*, v1::ClockResponse* response) override {
    const auto now = std::chrono::duration_cast<Nanos>(wall_now().time_since_epoch());
    *response->mutable_now() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(now.count());
    return grpc::Status::OK;
  }

  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    constexpr Nanos kPoll = std::chrono::milliseconds(50);  // how soon an end is told
    Nanos interval = std::chrono::seconds(1);
    if (request->interval().seconds() >= 3600) {  // beyond that it might not fit into nanoseconds
      interval = std::chrono::hours(1);
    } else if (request->has_interval()) {
      interval = std::max(
          kPoll, Nanos(google::protobuf::util::TimeUtil::DurationToNanoseconds(request->interval())));
    }
    std::set<std::pair<std::string, v1::FaultState>> before;  // a start or an end is told at once
    for (MonoTime next = mono_now(); !context->IsCancelled(); std::this_thread::sleep_for(kPoll)) {
      v1::WatchResponse response;
      std::set<std::pair<std::string, v1::FaultState>> current;
      for (auto& fault : engine_.list()) {
        const auto& ids = request->ids();
        if (!ids.empty() && std::find(ids.begin(), ids.end(), fault.id()) == ids.end()) continue;
        if (fault.state() != v1::FAULT_STATE_ENDED) current.emplace(fault.id(), fault.state());
        *response.add_faults() = std::move(fault);
      }
      if (mono_now() < next && current == before) continue;
      before = std::move(current);
      next = mono_now() + interval;
      if (!writer->Write(response)) break;
    }
    return grpc::Status::OK;
  }

 private:
  Engine& engine_;
};

}  // namespace

std::unique_ptr<v1::Agent::Service> make_agent_service(Engine& engine) {
  return std::make_unique<AgentService>(engine);
}

}  // namespace faultline
