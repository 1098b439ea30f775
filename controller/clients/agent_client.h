// The node agent as the controller sees it. An interface, so that what stands above it is tested against a
// fake.
//
// Every call has a deadline of its own and never retries. Errors carry the agent's words and its code; a
// transport that fails is Unavailable, an agent that does not answer in time DeadlineExceeded. All methods
// are thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "common/status.h"
#include "controller/clients/agent_address.h"
#include "controller/clients/node_clock.h"
#include "faultline/v1/agent.pb.h"

namespace faultline {

class AgentClient {
 public:
  virtual ~AgentClient() = default;

  virtual StatusOr<v1::CapabilitiesResponse> capabilities() = 0;
  virtual StatusOr<v1::ApplyResponse> apply(const v1::ApplyRequest& request) = 0;
  virtual StatusOr<v1::RenewResponse> renew(const v1::RenewRequest& request) = 0;
  virtual StatusOr<v1::RevertResponse> revert(const v1::RevertRequest& request) = 0;
  virtual StatusOr<v1::ListResponse> list() = 0;

  // Asks for the node's time a few times, one after the other. Unimplemented: an agent that cannot tell it.
  virtual StatusOr<NodeClock> clock() = 0;

  // Calls `on_update`, in this thread, for every message until `stop` is requested (then OK) or the stream
  // ends (then why). Has no deadline.
  virtual Status watch(const v1::WatchRequest& request, const std::stop_token& stop,
                       const std::function<void(const v1::WatchResponse&)>& on_update) = 0;
};

// Does not connect yet: the first call does, and fails within two seconds where nobody listens.
// InvalidArgument: a bad address, or a certificate file that cannot be read.
StatusOr<std::unique_ptr<AgentClient>> make_agent_client(const AgentAddress& address);

}  // namespace faultline
