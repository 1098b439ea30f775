#include "controller/experiment/file/network_filter.h"

#include "controller/experiment/file/addresses.h"
#include "controller/experiment/file/keys.h"

namespace faultline {
namespace {

constexpr std::string_view kProtocols[] = {"any", "tcp", "udp", "icmp"};

StatusOr<v1::Protocol> read_protocol(const Fields& fields) {
  const YamlNode* node = fields.find("protocol");
  if (node == nullptr) return v1::PROTOCOL_ANY;
  FL_ASSIGN_OR_RETURN(const std::string word, read_word(*node, "protocol", kProtocols));
  if (word == "tcp") return v1::PROTOCOL_TCP;
  if (word == "udp") return v1::PROTOCOL_UDP;
  if (word == "icmp") return v1::PROTOCOL_ICMP;
  return v1::PROTOCOL_ANY;
}

}  // namespace

StatusOr<v1::NetworkFilter> read_network_filter(const YamlNode* node) {
  v1::NetworkFilter filter;
  if (node == nullptr) return filter;
  FL_ASSIGN_OR_RETURN(const Fields fields, Fields::open(*node, "traffic", kNetworkFilterKeys));

  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> peers, fields.list("peers"));
  for (const YamlNode& item : peers) {
    FL_ASSIGN_OR_RETURN(const std::string peer, read_text(item, "peers"));
    if (const Status shape = check_peer(peer); !shape.ok()) {
      return error_at(item.pos, "peers: {}", message_of(shape));
    }
    filter.add_peers(peer);
  }

  FL_ASSIGN_OR_RETURN(const v1::Protocol protocol, read_protocol(fields));
  filter.set_protocol(protocol);

  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> ports, fields.list("ports"));
  if (!ports.empty() && protocol != v1::PROTOCOL_TCP && protocol != v1::PROTOCOL_UDP) {
    return error_at(fields.at("ports").pos, "ports: need 'protocol: tcp' or 'protocol: udp' beside them");
  }
  for (const YamlNode& item : ports) {
    FL_ASSIGN_OR_RETURN(const std::string text, read_text(item, "ports"));
    const StatusOr<Ports> range = parse_ports(text);
    if (!range.ok()) return error_at(item.pos, "ports: {}", message_of(range.status()));
    v1::PortRange* added = filter.add_ports();
    added->set_first(range->first);
    added->set_last(range->last);
  }
  return filter;
}

}  // namespace faultline
