#include "loadgen/engine/tally.h"

#include <numeric>

namespace faultline {

void Tally::merge(const Tally& other) {
  scheduled += other.scheduled;
  sent += other.sent;
  shed += other.shed;
  unsent += other.unsent;
  in_flight += other.in_flight;
  answered += other.answered;
  good += other.good;
  for (std::size_t i = 0; i < failures.size(); ++i) failures[i] += other.failures[i];
  for (const auto& [status, count] : other.statuses) statuses[status] += count;
  connects += other.connects;
  connect_failures += other.connect_failures;
  for (std::size_t i = 0; i < failures.size(); ++i) connect_failed_by[i] += other.connect_failed_by[i];
  bytes_out += other.bytes_out;
  bytes_in += other.bytes_in;
  body_bytes += other.body_bytes;
  response.merge(other.response);
  service.merge(other.service);
  lateness.merge(other.lateness);
  connecting.merge(other.connecting);
}

std::uint64_t Tally::failed() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

}  // namespace faultline
