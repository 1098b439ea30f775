#include "loadgen/engine/load.h"

#include <netdb.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <thread>

namespace faultline {
namespace {

// For all workers to connect before the first request is due.
constexpr Nanos kLead = std::chrono::milliseconds(50);

WorkerOptions share_of(const LoadOptions& options, unsigned worker) {
  const std::uint32_t connections = std::max(options.connections, options.workers);
  WorkerOptions share{.to = options.to,
                      .connections = connections / options.workers + (worker < connections % options.workers),
                      .depth = options.depth,
                      .arrivals = {},
                      .length = options.length,
                      .timeout = options.timeout,
                      .connect_timeout = options.connect_timeout,
                      .most_waiting = std::max<std::size_t>(1, options.most_waiting / options.workers),
                      .digits = options.digits};
  if (options.schedule && options.poisson) {
    share.arrivals = Arrivals::poisson(*options.schedule, worker, options.workers, *options.poisson);
  } else if (options.schedule) {
    share.arrivals = Arrivals::even(*options.schedule, worker, options.workers);
  }
  return share;
}

struct Together {
  std::mutex mutex;
  Tally tally;
  Status status;
};

void run_worker(WorkerOptions share, const Worker::MakeExchange& make_exchange, MonoTime start,
                const std::atomic<bool>& stop, Together& together) {
  // The kernel would round the waits of ordinary threads up by 50 us.
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  auto worker = Worker::make(std::move(share), make_exchange);
  Status status = worker.status();
  if (worker.ok()) status = (*worker)->run(start, stop);
  const std::lock_guard lock(together.mutex);
  if (worker.ok()) together.tally.merge((*worker)->tally());
  together.status.Update(status);
}

}  // namespace

StatusOr<LoadDone> run_load(const LoadOptions& options, const Worker::MakeExchange& make_exchange,
                            const std::atomic<bool>& stop) {
  Together together{.mutex = {}, .tally = Tally(options.digits), .status = {}};
  const MonoTime start = mono_now() + kLead;
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < options.workers; ++i) {
    threads.emplace_back([&, i] { run_worker(share_of(options, i), make_exchange, start, stop, together); });
  }
  threads.clear();
  FL_RETURN_IF_ERROR(together.status);
  const Nanos took = mono_now() - start;
  return LoadDone{.tally = std::move(together.tally), .took = stop ? took : std::max(took, options.length)};
}

StatusOr<Address> resolve(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return make_error(StatusCode::kNotFound, "{}: {}", host, ::gai_strerror(error));
  }
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return address;
}

}  // namespace faultline
