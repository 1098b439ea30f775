// A load of several workers, a thread each, that add up to one.
#pragma once

#include <atomic>
#include <optional>

#include "loadgen/engine/worker.h"

namespace faultline {

struct LoadOptions {
  Address to;
  std::uint32_t connections = 10;  // of all workers; each has at least one
  unsigned workers = 1;
  unsigned depth = 1;
  const Schedule* schedule = nullptr;    // null: closed loop
  std::optional<std::uint64_t> poisson;  // the seed, where arrivals are by chance
  Nanos length{};
  Nanos timeout{}, connect_timeout{};
  std::size_t most_waiting = 65536;
  int digits = 3;
};

struct LoadDone {
  Tally tally;
  Nanos took{};  // from the start to the last worker's end, and not less than the load's length where it was
                 // not stopped
};

// Sets `stop` to end early. An error: a worker could not run; nothing is told then.
StatusOr<LoadDone> run_load(const LoadOptions& options, const Worker::MakeExchange& make_exchange,
                            const std::atomic<bool>& stop);

// The first address of the name. NotFound: there is none.
StatusOr<Address> resolve(const std::string& host, const std::string& port);

}  // namespace faultline
