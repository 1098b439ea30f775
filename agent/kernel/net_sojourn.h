// Measures in the kernel how long packets stay in shaping bands. One per agent; a slot per band of a network
// namespace. Attached only while a band is watched. Auto: gone with the process. Minimum kernel: 5.15 with
// BTF; without it make() fails and delays are simply not measured. Slots may be used from several threads,
// each by its own owner.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "common/clock.h"
#include "common/status.h"

struct net_sojourn;

namespace faultline {

// The newest at most 2048 samples; count is how many packets were measured in all.
struct SojournSamples {
  std::uint64_t count = 0;
  std::vector<Nanos> newest;
  // From one packet's leaving to the next one's, where that had been waiting all the time and a token bucket
  // had nothing saved: what a bandwidth is told by.
  Nanos busy{};
  std::uint64_t busy_bytes = 0;  // link headers included
  std::uint64_t busy_packets = 0;
};

class NetSojourn {
 public:
  static StatusOr<std::unique_ptr<NetSojourn>> make();
  ~NetSojourn();

  // Starts measuring band `band` of the network namespace; ResourceExhausted when all 64 slots are in use.
  StatusOr<int> watch(std::uint32_t netns_inode, std::uint32_t band);
  void unwatch(int slot);
  SojournSamples samples(int slot) const;

 private:
  NetSojourn() = default;

  void tell_who_is_alone();

  net_sojourn* skeleton_ = nullptr;
  std::mutex mutex_;
  struct Slot {
    bool used = false;
    std::uint32_t netns = 0;
    std::uint32_t band = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace faultline
