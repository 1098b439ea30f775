#include "loadgen/engine/worker.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>

namespace faultline {
namespace {

constexpr Nanos kLook = std::chrono::milliseconds(100);  // for stop()
constexpr Nanos kFirstPause = std::chrono::milliseconds(10);
constexpr unsigned kMostDoublings = 7;  // 1.28 s

std::uint64_t ns(Nanos time) {
  return static_cast<std::uint64_t>(std::max<Nanos::rep>(0, time.count()));
}

}  // namespace

StatusOr<std::unique_ptr<Worker>> Worker::make(WorkerOptions options, const MakeExchange& make_exchange) {
  if (options.connections == 0 || options.depth == 0) return invalid_argument("a worker needs a connection");
  FL_ASSIGN_OR_RETURN(auto ring, Ring::make(options.connections));
  std::unique_ptr<Worker> worker(new Worker(std::move(options), std::move(ring)));
  worker->links_.resize(worker->options_.connections);
  for (Link& link : worker->links_) link.exchange = make_exchange();
  return worker;
}

Status Worker::run(MonoTime start, const std::atomic<bool>& stop) {
  start_ = start;
  end_ = start + options_.length;
  now_ = mono_now();
  for (std::uint32_t slot = 0; slot < links_.size(); ++slot) FL_RETURN_IF_ERROR(connect(slot));
  // What is in flight is answered or times out; what still waits for a connection is given up at the end.
  while (in_flight_ > 0 || (!is_over() && (!asks_no_more() || !waiting_.empty()))) {
    stopping_ = stop.load(std::memory_order_relaxed);
    if (const Status status = step(); !status.ok()) {
      failure_ = status;
      break;
    }
  }
  tally_.unsent += waiting_.size();
  tally_.in_flight += in_flight_;
  return failure_;
}

bool Worker::is_over() const {
  return stopping_ || now_ >= end_ + options_.timeout;
}

bool Worker::asks_no_more() const {
  return stopping_ || now_ >= end_ || (options_.arrivals && !options_.arrivals->next());
}

Status Worker::step() {
  now_ = mono_now();
  take_due();
  expire();
  flush();
  FL_RETURN_IF_ERROR(failure_);
  now_is_old_ = true;
  FL_RETURN_IF_ERROR(ring_->wait(next_time(), [this](const Ring::Event& event) { handle(event); }));
  return failure_;
}

// The time at which the next thing is to be done that no event tells of.
std::optional<MonoTime> Worker::next_time() const {
  MonoTime next = now_ + kLook;
  const auto sooner = [&](MonoTime time) { next = std::min(next, time); };
  if (options_.arrivals && options_.arrivals->next() && !stopping_)
    sooner(start_ + *options_.arrivals->next());
  if (!requests_due_.empty()) sooner(requests_due_.front().at);
  if (!connects_due_.empty()) sooner(connects_due_.front().at);
  if (!reconnects_.empty()) sooner(reconnects_.top().at);
  return next;
}

void Worker::take_due() {
  if (stopping_) return;
  if (!options_.arrivals) {
    // Closed loop: whoever is free asks.
    if (now_ < start_ || now_ >= end_) return;
    while (const auto slot = take_ready()) {
      ++tally_.scheduled;
      send_on(*slot, now_);
    }
    return;
  }
  Arrivals& arrivals = *options_.arrivals;
  for (; arrivals.next() && start_ + *arrivals.next() <= now_; arrivals.advance()) {
    const MonoTime intended = start_ + *arrivals.next();
    ++tally_.scheduled;
    tally_.lateness.record(ns(now_ - intended));
    if (const auto slot = take_ready())
      send_on(*slot, intended);
    else if (waiting_.size() < options_.most_waiting)
      waiting_.push_back(intended);
    else
      ++tally_.shed;
  }
}

// A connection that is up and has room.
std::optional<std::uint32_t> Worker::take_ready() {
  while (!ready_.empty()) {
    const std::uint32_t slot = ready_.front();
    ready_.pop_front();
    links_[slot].ready = false;
    if (links_[slot].state == State::kUp && links_[slot].flights.size() < options_.depth) return slot;
  }
  return std::nullopt;
}

void Worker::send_on(std::uint32_t slot, MonoTime intended) {
  Link& link = links_[slot];
  link.exchange->request(link.out);
  link.flights.push_back({.intended = intended, .sent = now_});
  requests_due_.push_back({.at = now_ + options_.timeout,
                           .socket = {slot, link.generation},
                           .answered = link.answered + link.flights.size() - 1});
  ++tally_.sent;
  ++in_flight_;
  if (!std::exchange(link.dirty, true)) dirty_.push_back(slot);
  use(slot);
}

// The connection has room again, perhaps.
void Worker::use(std::uint32_t slot) {
  Link& link = links_[slot];
  if (link.state != State::kUp || link.ready || link.flights.size() >= options_.depth) return;
  if (!waiting_.empty() && !is_over()) {
    const MonoTime intended = waiting_.front();
    waiting_.pop_front();
    return send_on(slot, intended);
  }
  link.ready = true;
  ready_.push_back(slot);
}

void Worker::flush() {
  for (const std::uint32_t slot : std::exchange(dirty_, {})) {
    Link& link = links_[slot];
    link.dirty = false;
    if (link.state != State::kUp || !link.sending.empty() || link.out.empty()) continue;
    std::swap(link.out, link.sending);
    link.sent = 0;
    ring_->send({slot, link.generation}, link.sending);
  }
}

void Worker::expire() {
  const auto current = [&](const Deadline& due) {
    return links_[due.socket.slot].generation == due.socket.generation;
  };
  for (; !requests_due_.empty(); requests_due_.pop_front()) {
    const Deadline due = requests_due_.front();
    const bool open = current(due) && links_[due.socket.slot].answered <= due.answered;
    if (open && due.at > now_) break;
    if (open) fail(due.socket.slot, Failure::kTimedOut, Failure::kTimedOut);
  }
  for (; !connects_due_.empty(); connects_due_.pop_front()) {
    const Deadline due = connects_due_.front();
    const bool open = current(due) && links_[due.socket.slot].state == State::kConnecting;
    if (open && due.at > now_) break;
    if (open) on_connected(due.socket.slot, -ETIMEDOUT);
  }
  while (!reconnects_.empty() && reconnects_.top().at <= now_) {
    const Deadline due = reconnects_.top();
    reconnects_.pop();
    if (!current(due) || links_[due.socket.slot].state != State::kDown) continue;
    if (const Status status = connect(due.socket.slot); !status.ok()) failure_ = status;
  }
}

Status Worker::connect(std::uint32_t slot) {
  Link& link = links_[slot];
  UniqueFd fd(::socket(options_.to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return errno_status(errno, "make a socket");
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  link.generation = (link.generation + 1) & 0xffffff;
  link.state = State::kConnecting;
  link.connect_began = now_;
  const Socket socket{slot, link.generation};
  FL_RETURN_IF_ERROR(ring_->put(socket, std::move(fd)));
  ring_->connect(socket, reinterpret_cast<const sockaddr*>(&options_.to.storage), options_.to.size);
  connects_due_.push_back({.at = now_ + options_.connect_timeout, .socket = socket, .answered = 0});
  ++tally_.connects;
  return ok_status();
}

// At once after a connection that worked; else with pauses that grow, and differ, so that not all come back
// at once.
void Worker::reconnect_later(std::uint32_t slot) {
  Link& link = links_[slot];
  link.state = State::kDown;
  Nanos pause{};
  if (link.failed_connects > 0) {
    chance_ = chance_ * 6364136223846793005ull + 1442695040888963407ull;
    const Nanos most = kFirstPause * (1 << std::min(link.failed_connects - 1, kMostDoublings));
    pause = most / 2 + Nanos(static_cast<Nanos::rep>(chance_ >> 33) % (most.count() / 2));
  }
  reconnects_.push({.at = now_ + pause, .socket = {slot, link.generation}, .answered = 0});
}

// The connection is of no further use.
void Worker::fail(std::uint32_t slot, Failure first, Failure others) {
  Link& link = links_[slot];
  for (std::size_t i = 0; i < link.flights.size(); ++i) {
    ++tally_.failures[static_cast<std::size_t>(i == 0 ? first : others)];
  }
  in_flight_ -= link.flights.size();
  link.flights.clear();
  link.out.clear();
  if (!link.sending.empty())
    abandoned_.emplace(Socket{slot, link.generation}, std::exchange(link.sending, {}));
  if (const Status dropped = ring_->drop(slot); !dropped.ok()) failure_ = dropped;
  reconnect_later(slot);
}

void Worker::handle(const Ring::Event& event) {
  if (now_is_old_) {
    now_ = mono_now();
    now_is_old_ = false;
  }
  const std::uint32_t slot = event.socket.slot;
  if (event.what == Ring::What::kSent) abandoned_.erase(event.socket);
  if (links_[slot].generation != event.socket.generation || links_[slot].state == State::kDown) return;
  switch (event.what) {
    case Ring::What::kConnected:
      return on_connected(slot, event.result);
    case Ring::What::kSent:
      return on_sent(slot, event.result);
    case Ring::What::kReceived:
      return on_received(slot, event);
  }
}

void Worker::on_connected(std::uint32_t slot, int result) {
  Link& link = links_[slot];
  if (result < 0) {
    ++tally_.connect_failures;
    ++tally_.connect_failed_by[static_cast<std::size_t>(connect_failure(-result))];
    ++link.failed_connects;
    return fail(slot, Failure::kNone);
  }
  tally_.connecting.record(ns(now_ - link.connect_began));
  link.state = State::kUp;
  link.failed_connects = 0;
  link.exchange->begin();
  ring_->receive({slot, link.generation});
  use(slot);
}

void Worker::on_sent(std::uint32_t slot, int result) {
  Link& link = links_[slot];
  if (result < 0) return fail(slot, io_failure(-result));
  tally_.bytes_out += static_cast<std::uint64_t>(result);
  link.sent += static_cast<std::size_t>(result);
  if (link.sent < link.sending.size()) {
    return ring_->send({slot, link.generation}, std::string_view(link.sending).substr(link.sent));
  }
  link.sending.clear();
  if (!link.out.empty() && !std::exchange(link.dirty, true)) dirty_.push_back(slot);
}

void Worker::on_received(std::uint32_t slot, const Ring::Event& event) {
  Link& link = links_[slot];
  if (event.result < 0) return fail(slot, io_failure(-event.result));
  const auto each = [&](const Answer& answer) { on_answer(slot, answer); };
  if (event.result == 0) {
    const Failure why = link.exchange->closed(each);
    return fail(slot, why);
  }
  tally_.bytes_in += event.bytes.size();
  if (!link.exchange->take(event.bytes, each)) return fail(slot, Failure::kClosedUnanswered);
  use(slot);
}

void Worker::on_answer(std::uint32_t slot, const Answer& answer) {
  Link& link = links_[slot];
  if (link.flights.empty()) return;
  const Flight flight = link.flights.front();
  link.flights.pop_front();
  ++link.answered;
  --in_flight_;
  if (answer.failure != Failure::kNone) {
    ++tally_.failures[static_cast<std::size_t>(answer.failure)];
    return;
  }
  ++tally_.answered;
  tally_.good += answer.good;
  ++tally_.statuses[answer.status];
  tally_.body_bytes += answer.body_bytes;
  tally_.response.record(ns(now_ - flight.intended));
  tally_.service.record(ns(now_ - flight.sent));
}

}  // namespace faultline
