#include "agent/faults/exemptions.h"

#include <charconv>
#include <cstdlib>
#include <optional>

namespace faultline {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::uint16_t kKubeletPort = 10250;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// "10.0.0.0/8", "10.0.0.1:443", "fd00::/8", "[fd00::1]:443".
StatusOr<PacketMatch> parse_place(const std::string& text) {
  std::string host = text;
  std::string port;
  const std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string::npos) return invalid_argument("\"{}\": the bracket is not closed", text);
    host = text.substr(1, close - 1);
    if (close + 1 < text.size()) port = text.substr(close + 2);
  } else if (colon != std::string::npos && text.find(':') == colon) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  PacketMatch match;
  FL_ASSIGN_OR_RETURN(match.peers.emplace_back(), parse_ip_network(host));
  if (host.size() == text.size()) return match;
  const auto number = parse_port(port);
  if (!number) return invalid_argument("\"{}\": \"{}\" is not a port", text, port);
  match.ports.push_back({*number, *number});
  return match;
}

PacketMatch port_of_any_peer(std::uint16_t port, fl_net_protocol protocol) {
  PacketMatch match;
  match.ports.push_back({port, port});
  match.protocol = protocol;
  return match;
}

StatusOr<std::optional<PacketMatch>> match_of(const std::string& word) {
  if (word == "dns") return port_of_any_peer(kDnsPort, FL_NET_PROTO_ANY);
  if (word == "kubelet") return port_of_any_peer(kKubeletPort, FL_NET_PROTO_TCP);
  if (word == "metadata") {
    PacketMatch match;
    for (const char* address : {"169.254.169.254", "fd00:ec2::254"}) {
      FL_ASSIGN_OR_RETURN(match.peers.emplace_back(), parse_ip_network(address));
    }
    return match;
  }
  if (word == "api-server") {
    const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
    const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
    if (!host || !port) return std::nullopt;
    const bool v6 = std::string_view(host).find(':') != std::string_view::npos;
    return parse_place(fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), host, port));
  }
  return parse_place(word);
}

}  // namespace

std::vector<std::string> usual_exemptions() {
  return {"dns", "metadata", "api-server", "kubelet"};
}

StatusOr<std::vector<Exemption>> make_exemptions(const std::vector<std::string>& words,
                                                 const std::string& listen) {
  std::vector<Exemption> exemptions;
  for (const std::string& word : words) {
    if (word == "none" && words.size() == 1) break;
    auto match = match_of(word);
    if (!match.ok()) {
      return annotate(
          match.status(),
          fmt::format("exempt \"{}\": neither dns, metadata, api-server, kubelet or none, nor an address",
                      word));
    }
    if (*match) exemptions.push_back({.name = word, .match = std::move(**match)});
  }
  // The controller asks a port of this node, so seen from a target that port is the peer's.
  const auto port = parse_port(std::string_view(listen).substr(listen.rfind(':') + 1));
  if (!listen.starts_with("unix:") && port) {
    PacketMatch own = port_of_any_peer(*port, FL_NET_PROTO_TCP);  // all that is known of a host name
    const bool everywhere = listen.starts_with("0.0.0.0:") || listen.starts_with("[::]:");
    if (auto numeric = parse_place(listen); numeric.ok() && !everywhere)
      own.peers = std::move(numeric->peers);
    exemptions.push_back({.name = "control channel " + listen, .match = std::move(own)});
  }
  if (exemptions.size() > kMaxExemptions) {
    return invalid_argument("{} exemptions, at most {}", exemptions.size(), kMaxExemptions);
  }
  return exemptions;
}

}  // namespace faultline
