// gRPC's view of the engine. Include only from .cc files: gRPC headers are slow.
#pragma once

#include <memory>

#include "agent/engine/engine.h"
#include "faultline/v1/agent.grpc.pb.h"

namespace faultline {

// `engine` must outlive the service.
std::unique_ptr<v1::Agent::Service> make_agent_service(Engine& engine);

}  // namespace faultline
