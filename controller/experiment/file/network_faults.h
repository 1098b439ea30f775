// The readers of the network faults, one a kind: each takes the kind's own mapping, opened with its keys from
// fault_keys.h.
#pragma once

#include "common/status.h"
#include "controller/experiment/file/fields.h"
#include "faultline/v1/fault.pb.h"

namespace faultline {

StatusOr<v1::FaultSpec> read_delay(const Fields& fields);
StatusOr<v1::FaultSpec> read_loss(const Fields& fields);
StatusOr<v1::FaultSpec> read_duplicate(const Fields& fields);
StatusOr<v1::FaultSpec> read_corrupt(const Fields& fields);
StatusOr<v1::FaultSpec> read_reorder(const Fields& fields);
StatusOr<v1::FaultSpec> read_rate(const Fields& fields);
StatusOr<v1::FaultSpec> read_partition(const Fields& fields);
StatusOr<v1::FaultSpec> read_reject(const Fields& fields);
StatusOr<v1::FaultSpec> read_connect_error(const Fields& fields);
StatusOr<v1::FaultSpec> read_reset(const Fields& fields);
StatusOr<v1::FaultSpec> read_dns(const Fields& fields);

}  // namespace faultline
