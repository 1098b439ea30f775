// Durations of the file as the contract has them.
#pragma once

#include <google/protobuf/duration.pb.h>

#include "common/clock.h"

namespace faultline {

inline google::protobuf::Duration to_proto(Nanos duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / std::nano::den);
  proto.set_nanos(static_cast<int>(duration.count() % std::nano::den));
  return proto;
}

}  // namespace faultline
