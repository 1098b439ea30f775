// Faults of packets: delay, loss, duplicate, corrupt, reorder, rate, partition, reject.
#include "controller/experiment/file/limits.h"
#include "controller/experiment/file/network_faults.h"
#include "controller/experiment/file/network_filter.h"
#include "controller/experiment/file/selection.h"
#include "controller/experiment/file/to_proto.h"
#include "controller/experiment/sizes.h"
#include "controller/experiment/units.h"

namespace faultline {
namespace {

constexpr Word<v1::Distribution> kDistributions[] = {{"uniform", v1::DISTRIBUTION_UNIFORM},
                                                     {"normal", v1::DISTRIBUTION_NORMAL},
                                                     {"pareto", v1::DISTRIBUTION_PARETO},
                                                     {"paretonormal", v1::DISTRIBUTION_PARETONORMAL}};

StatusOr<v1::NetworkFilter> read_traffic(const Fields& fields) {
  return read_network_filter(fields.find("traffic"), Concerns::kPackets);
}

// A fault that has nothing but a filter and a selection.
template <typename Kind>
StatusOr<v1::FaultSpec> read_selecting(const Fields& fields, Kind* (v1::FaultSpec::*kind)()) {
  v1::FaultSpec spec;
  FL_ASSIGN_OR_RETURN(*(spec.*kind)()->mutable_packets(), read_selection(fields));
  FL_ASSIGN_OR_RETURN(*(spec.*kind)()->mutable_traffic(), read_traffic(fields));
  return spec;
}

}  // namespace

StatusOr<v1::FaultSpec> read_delay(const Fields& fields) {
  v1::FaultSpec spec;
  v1::Delay& delay = *spec.mutable_delay();
  FL_ASSIGN_OR_RETURN(const Nanos latency, read_duration(fields.at("latency"), "latency", kWaitRange));
  FL_ASSIGN_OR_RETURN(const Nanos jitter, fields.duration("jitter", Nanos::zero(), kJitterRange));
  if (jitter > latency) {
    return error_at(fields.at("jitter").pos, "jitter: {} is more than the latency of {}",
                    format_duration(jitter), format_duration(latency));
  }
  for (const std::string_view key : {"correlation", "distribution"}) {
    if (fields.find(key) != nullptr && jitter == Nanos::zero()) {
      return error_at(fields.at(key).pos, "{}: is the jitter's, so it needs a jitter beside it", key);
    }
  }
  FL_ASSIGN_OR_RETURN(const double correlation, fields.percentage("correlation", 0));
  if (correlation > 0.95) return error_at(fields.at("correlation").pos, "correlation: must be at most 95%");
  if (const YamlNode* node = fields.find("distribution")) {
    FL_ASSIGN_OR_RETURN(const v1::Distribution distribution,
                        read_meaning(*node, "distribution", kDistributions));
    delay.set_distribution(distribution);
  }
  *delay.mutable_latency() = to_proto(latency);
  *delay.mutable_jitter() = to_proto(jitter);
  delay.set_correlation(correlation);
  FL_ASSIGN_OR_RETURN(*delay.mutable_traffic(), read_traffic(fields));
  return spec;
}

StatusOr<v1::FaultSpec> read_loss(const Fields& fields) {
  return read_selecting(fields, &v1::FaultSpec::mutable_loss);
}

StatusOr<v1::FaultSpec> read_duplicate(const Fields& fields) {
  return read_selecting(fields, &v1::FaultSpec::mutable_duplicate);
}

StatusOr<v1::FaultSpec> read_corrupt(const Fields& fields) {
  return read_selecting(fields, &v1::FaultSpec::mutable_corrupt);
}

StatusOr<v1::FaultSpec> read_reorder(const Fields& fields) {
  FL_ASSIGN_OR_RETURN(v1::FaultSpec spec, read_selecting(fields, &v1::FaultSpec::mutable_reorder));
  FL_ASSIGN_OR_RETURN(const Nanos hold, read_duration(fields.at("hold"), "hold", kWaitRange));
  *spec.mutable_reorder()->mutable_hold() = to_proto(hold);
  return spec;
}

StatusOr<v1::FaultSpec> read_rate(const Fields& fields) {
  v1::FaultSpec spec;
  v1::Rate& rate = *spec.mutable_rate();
  const YamlNode& bandwidth = fields.at("bandwidth");
  FL_ASSIGN_OR_RETURN(const std::string text, read_text(bandwidth, "bandwidth"));
  const StatusOr<std::uint64_t> bits = parse_bandwidth(text);
  if (!bits.ok()) return error_at(bandwidth.pos, "bandwidth: {}", message_of(bits.status()));
  if (*bits < kMinBitsPerSecond) return error_at(bandwidth.pos, "bandwidth: must be at least 8kbit");
  if (*bits > kMaxBitsPerSecond) return error_at(bandwidth.pos, "bandwidth: must be at most 400gbit");
  rate.set_bits_per_second(*bits);
  if (const YamlNode* node = fields.find("burst")) {
    FL_ASSIGN_OR_RETURN(const std::string burst, read_text(*node, "burst"));
    const StatusOr<std::uint64_t> bytes = parse_size(burst);
    if (!bytes.ok()) return error_at(node->pos, "burst: {}", message_of(bytes.status()));
    if (*bytes < 1 || *bytes > kMaxBurstBytes) return error_at(node->pos, "burst: must be from 1B to 64MiB");
    rate.set_burst_bytes(*bytes);
  }
  if (const YamlNode* node = fields.find("maxWait")) {
    FL_ASSIGN_OR_RETURN(const Nanos wait, read_duration(*node, "maxWait", kMaxWaitRange));
    *rate.mutable_max_wait() = to_proto(wait);
  }
  FL_ASSIGN_OR_RETURN(*rate.mutable_traffic(), read_traffic(fields));
  return spec;
}

StatusOr<v1::FaultSpec> read_partition(const Fields& fields) {
  v1::FaultSpec spec;
  FL_ASSIGN_OR_RETURN(*spec.mutable_partition()->mutable_traffic(), read_traffic(fields));
  return spec;
}

StatusOr<v1::FaultSpec> read_reject(const Fields& fields) {
  v1::FaultSpec spec;
  FL_ASSIGN_OR_RETURN(*spec.mutable_reject()->mutable_traffic(),
                      read_network_filter(fields.find("traffic"), Concerns::kWhatLeaves));
  return spec;
}

}  // namespace faultline
