#include "agent/target/peer_lookup.h"

#include <algorithm>

#include "agent/kernel/addresses.h"
#include "agent/target/cgroup.h"
#include "agent/target/file_in_root.h"
#include "agent/target/name_query.h"
#include "agent/target/peer_form.h"
#include "agent/target/resolver_files.h"

namespace faultline {
namespace {

constexpr Nanos kPatience = std::chrono::seconds(2);
constexpr std::size_t kLargestHosts = 1 << 20;
constexpr std::size_t kLargestResolvConf = 64 << 10;

StatusOr<std::vector<IpNetwork>> addresses_of_target(const TargetResolver& targets, const std::string& peer) {
  FL_ASSIGN_OR_RETURN(const Target other, targets.resolve(peer));
  std::vector<IpNetwork> all;
  for (const Netns& netns : other.netns) {
    FL_ASSIGN_OR_RETURN(const auto some, addresses_in(netns));
    all.insert(all.end(), some.begin(), some.end());
  }
  if (all.empty())
    return make_error(StatusCode::kNotFound, "peer {} has no address that others can reach", peer);
  return all;
}

StatusOr<std::string> text_or_nothing(pid_t pid, const std::string& path, std::size_t limit) {
  auto text = read_file_in_root(pid, path, limit);
  if (text.status().code() == StatusCode::kNotFound) return std::string();
  return text;
}

// As one process of the target sees it.
StatusOr<std::vector<IpNetwork>> addresses_of_name(const std::string& name, pid_t pid, const Netns& netns,
                                                   const std::stop_token& stop) {
  FL_ASSIGN_OR_RETURN(const std::string hosts, text_or_nothing(pid, "/etc/hosts", kLargestHosts));
  if (auto known = addresses_in_hosts(hosts, name); !known.empty()) return known;
  FL_ASSIGN_OR_RETURN(const std::string conf, text_or_nothing(pid, "/etc/resolv.conf", kLargestResolvConf));
  return query_addresses(netns, parse_resolv_conf(conf), name, kPatience, stop);
}

}  // namespace

StatusOr<std::vector<IpNetwork>> PeerLookup::lookup(const std::string& peer, const Target& target,
                                                    std::stop_token stop) const {
  FL_RETURN_IF_ERROR(check_peer(peer));
  if (auto fixed = parse_ip_network(peer); fixed.ok()) return std::vector<IpNetwork>{*fixed};
  if (is_target_peer(peer)) return addresses_of_target(targets_, peer);
  // Those of now: the ones that it had when it was resolved may have gone, and their numbers be others'.
  FL_ASSIGN_OR_RETURN(const auto processes, processes_below(targets_.cgroup_root(), target.cgroup));
  for (const pid_t pid : processes) {
    const auto netns = netns_of_process(pid);
    if (!netns.ok()) continue;  // it ended meanwhile
    auto found = addresses_of_name(peer, pid, *netns, stop);
    return found.ok() ? found : annotate(found.status(), target.asked);
  }
  return make_error(StatusCode::kNotFound, "target {}: no process is left to look up \"{}\" for",
                    target.asked, peer);
}

}  // namespace faultline
