// Clocks. MonoTime is CLOCK_MONOTONIC, the clock that bpf_ktime_get_ns() reads, so a deadline means the same
// in the kernel and here. WallTime is only for people and for lining up records of several machines.
#pragma once

#include <chrono>

namespace faultline {

using Nanos = std::chrono::nanoseconds;
using MonoTime = std::chrono::steady_clock::time_point;  // libstdc++ on Linux: CLOCK_MONOTONIC
using WallTime = std::chrono::system_clock::time_point;

inline MonoTime mono_now() {
  return std::chrono::steady_clock::now();
}
inline WallTime wall_now() {
  return std::chrono::system_clock::now();
}

// Nanoseconds since boot, as BPF sees them.
inline unsigned long long ktime_ns(MonoTime t) {
  return static_cast<unsigned long long>(std::chrono::duration_cast<Nanos>(t.time_since_epoch()).count());
}

}  // namespace faultline
