// A run id of this moment.
#pragma once

#include <random>
#include <string>

#include "common/clock.h"
#include "controller/experiment/run_id.h"

namespace faultline {

inline std::string new_run_id() {
  return make_run_id(wall_now(), static_cast<std::uint16_t>(std::random_device()() & 0xffffU));
}

}  // namespace faultline
