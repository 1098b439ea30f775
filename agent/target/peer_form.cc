#include "agent/target/peer_form.h"

#include "agent/kernel/ip_network.h"
#include "agent/target/resolver_files.h"

namespace faultline {

bool is_fixed_peer(const std::string& peer) {
  return parse_ip_network(peer).ok();
}

bool is_target_peer(const std::string& peer) {
  return peer.starts_with("container:") || peer.starts_with("cgroup:") || peer.starts_with("pid:");
}

Status check_peer(const std::string& peer) {
  if (is_fixed_peer(peer) || is_target_peer(peer)) return ok_status();
  // What looks like an address or a network gets the reason why it is none.
  const bool like_address = peer.find_first_not_of("0123456789./") == std::string::npos ||
                            peer.find(':') != peer.rfind(':') || peer.find('/') != std::string::npos;
  if (like_address && !peer.empty()) return parse_ip_network(peer).status();
  return check_host_name(peer);
}

}  // namespace faultline
