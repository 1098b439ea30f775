#include <net/if.h>

#include <algorithm>
#include <condition_variable>

#include "agent/faults/net_traffic.h"
#include "agent/kernel/link.h"
#include "common/log.h"

namespace faultline {

TrafficFault::~TrafficFault() {
  if (Status status = revert(); !status.ok())
    spdlog::error("event=revert_failed error=\"{}\"", message_of(status));
}

void TrafficFault::set_deadline(MonoTime deadline) {
  for (const Part& part : parts_) steer_->set_deadline(part.fault, deadline);
}

SteerCounters TrafficFault::counters() {
  SteerCounters sum;
  for (Part& part : parts_) {
    const SteerCounters counted = part.fault >= 0 ? steer_->counters(part.fault) : part.last;
    sum.evaluated += counted.evaluated;
    sum.matched += counted.matched;
    if (part.places.empty()) {  // nothing but the program itself has a say
      sum.injected += counted.injected;
      continue;
    }
    // Steered is not yet faulted: the packet may have left by a device without a band, or the band may be
    // gone.
    std::uint64_t now = 0;
    for (const TreePlace& place : part.places) {
      const auto band = band_qdisc(sockets_.at(place.netns), place.qdiscs_at, band_);
      if (band.ok()) now += band->sent + band->queued + band->drops;
    }
    part.shaped = std::max(part.shaped, now);
    sum.injected += std::min(counted.injected, part.shaped);
  }
  return sum;
}

Status TrafficFault::standing() {
  bool any = false;
  for (const Part& part : parts_) {
    for (const TreePlace& place : part.places) {
      any = true;
      const auto band = band_qdisc(sockets_.at(place.netns), place.qdiscs_at, band_);
      if (band.status().code() == StatusCode::kNotFound) continue;
      // A detour outlives the device that it leads around, and leads nowhere when it is down.
      const auto device = link_of(sockets_.at(place.netns), place.ifindex);
      if (device.status().code() == StatusCode::kNotFound) continue;
      const auto at = link_of(sockets_.at(place.netns), place.qdiscs_at);
      if (!place.beside() || !at.ok() || (rtnl_link_get_flags(at->get()) & IFF_UP)) return ok_status();
    }
  }
  if (!any) return ok_status();
  return make_error(StatusCode::kNotFound, "the target's interface has gone, or the fault's qdisc there");
}

SojournSamples TrafficFault::sojourn() const {
  SojournSamples all;
  for (const int slot : meters_) {
    SojournSamples one = traffic_.kernel_.sojourn()->samples(slot);
    all.count += one.count;
    all.busy += one.busy;
    all.busy_bytes += one.busy_bytes;
    all.busy_packets += one.busy_packets;
    all.newest.insert(all.newest.end(), one.newest.begin(), one.newest.end());
  }
  return all;
}

void TrafficFault::stop() {
  follower_.request_stop();
  const std::lock_guard lock(traffic_.mutex_);
  // All parts at once: taking one out may take a wait.
  for (const Part& part : parts_) {
    if (part.fault >= 0) steer_->set_deadline(part.fault, MonoTime{});
  }
  for (Part& part : parts_) {
    if (part.fault < 0) continue;
    steer_->remove(part.fault);
    part.last = steer_->counters(part.fault);
    part.fault = -1;
  }
}

Status TrafficFault::revert() {
  stop();
  if (follower_.joinable()) follower_.join();
  // Packets that still wait in the band belong to the target; they go first, and nobody else waits for that.
  for (const Part& part : parts_) {
    for (const TreePlace& place : part.places) {
      drain_band(sockets_.at(place.netns), place.qdiscs_at, band_, patience_);
    }
  }
  // The last of them may still be on their way through the detour when the band is empty.
  const bool around = std::any_of(parts_.begin(), parts_.end(), [](const Part& part) {
    return std::any_of(part.places.begin(), part.places.end(),
                       [](const auto& place) { return place.beside(); });
  });
  if (around) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const std::lock_guard lock(traffic_.mutex_);
  return traffic_.take_away(*this);
}

// Runs in a thread of its own. A failed look-up changes nothing: the peers are taken to be where they were.
void TrafficFault::follow_peers(const std::stop_token& stop, const TrafficFilter& filter,
                                const PeerLookup& lookup) {
  constexpr auto kInterval = std::chrono::seconds(5);
  std::mutex mutex;
  std::condition_variable_any awake;
  std::string failure;
  for (;;) {
    std::unique_lock waiting(mutex);
    awake.wait_for(waiting, stop, kInterval, [] { return false; });
    if (stop.stop_requested()) return;
    const auto match = look_up(filter, lookup, target_, stop);
    const std::string told = match.ok() ? "" : message_of(match.status());
    if (!told.empty() && told != failure) spdlog::warn("event=peers_not_found error=\"{}\"", told);
    failure = told;
    if (!match.ok()) continue;
    const std::lock_guard lock(traffic_.mutex_);
    for (const Part& part : parts_) {
      if (part.fault < 0) continue;
      if (Status status = steer_->replace(part.fault, *match); !status.ok()) {
        spdlog::warn("event=peers_not_followed error=\"{}\"", message_of(status));
      }
    }
  }
}

}  // namespace faultline
