// The results of a load, for people and for programs. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/clock.h"
#include "loadgen/engine/tally.h"

namespace faultline {

struct LoadResult {
  std::string url;
  bool open_loop = false;
  Nanos length{};       // that was asked for
  Nanos took{};         // until the last answer
  std::string invalid;  // why the load is not what was asked for; empty: it is
  Tally tally;
};

std::string to_text(const LoadResult& result);
std::string to_json(const LoadResult& result);

}  // namespace faultline
