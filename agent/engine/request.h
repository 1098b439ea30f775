// What of a request can be judged by looking at it. Pure.
#pragma once

#include "agent/engine/engine.h"
#include "common/clock.h"
#include "common/status.h"
#include "faultline/v1/agent.pb.h"

namespace faultline {

// InvalidArgument, naming the field, unless id, target, duration and lease are all acceptable.
Status check_apply(const v1::ApplyRequest& request, const EngineOptions& options);

// When the fault is to start, on the kernel's clock: `now` where it is asked for at once, or up to a second
// ago. InvalidArgument when that is longer ago, or more than ten minutes ahead.
StatusOr<MonoTime> start_of(const v1::ApplyRequest& request, WallTime wall_now, MonoTime now);

Nanos duration_of(const v1::ApplyRequest& request);
// The lease asked for, or where none is given the duration.
Nanos lease_of(const v1::ApplyRequest& request, const EngineOptions& options);
StatusOr<Nanos> checked_lease(const google::protobuf::Duration& lease, const EngineOptions& options);

}  // namespace faultline
