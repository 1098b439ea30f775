#include "controller/cli/traffic_text.h"

#include <fmt/ranges.h>

#include "controller/experiment/traffic_match.h"
#include "controller/report/format.h"

namespace faultline {
namespace {

std::string listed(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return texts.empty() ? "any" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string listed(const google::protobuf::RepeatedPtrField<v1::PortRange>& ranges) {
  std::string text;
  for (const v1::PortRange& range : ranges) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", range.first());
    if (range.last() != range.first()) text += fmt::format("-{}", range.last());
  }
  return text.empty() ? "any" : text;
}

const char* word(v1::Direction direction) {
  switch (direction) {
    case v1::DIRECTION_EGRESS:
      return "egress";
    case v1::DIRECTION_INGRESS:
      return "ingress";
    default:
      return "both directions";
  }
}

const char* word(v1::Protocol protocol) {
  switch (protocol) {
    case v1::PROTOCOL_TCP:
      return "tcp";
    case v1::PROTOCOL_UDP:
      return "udp";
    case v1::PROTOCOL_ICMP:
      return "icmp";
    default:
      return "any";
  }
}

}  // namespace

std::string traffic_text(const v1::FaultSpec& spec) {
  if (spec.has_dns())
    return fmt::format("traffic: queries to port 53; names: {}", listed(spec.dns().names()));
  const v1::NetworkFilter& traffic = traffic_of(spec);
  const v1::Protocol protocol = protocol_of(spec);
  std::string text =
      fmt::format("traffic: {}; peers: {}", spec.has_reset() ? "whole connections" : word(direction_of(spec)),
                  listed(traffic.peers()));
  if (!traffic.except().empty()) text += fmt::format("; except: {}", listed(traffic.except()));
  text += fmt::format("; protocol: {}", word(protocol));
  if (protocol == v1::PROTOCOL_TCP || protocol == v1::PROTOCOL_UDP) {
    text += fmt::format("; ports: {}", listed(traffic.ports()));
  }
  if (!traffic.local_ports().empty()) text += fmt::format("; localPorts: {}", listed(traffic.local_ports()));
  if (traffic.has_share()) {
    const bool connections = traffic.share_of() == v1::SHARE_OF_CONNECTIONS;
    text += fmt::format("; share: {}% of {}", number_text(traffic.share() * 100),
                        connections ? "connections" : subject_of(spec));
  }
  return text;
}

}  // namespace faultline
