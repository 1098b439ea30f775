#include "agent/faults/net_traffic.h"

#include <algorithm>
#include <cerrno>

#include "agent/faults/net_routes.h"
#include "agent/kernel/cgroup_programs.h"
#include "agent/kernel/host_end.h"
#include "agent/kernel/net_support.h"
#include "common/log.h"

namespace faultline {
namespace {

constexpr std::initializer_list<CgroupHook> kHooks = {CgroupHook::kEgress, CgroupHook::kIngress,
                                                      CgroupHook::kConnect4, CgroupHook::kConnect6};

// What the action puts into a band of the way out (or in); null: it needs none.
const BandParams* band_of(const TrafficAction& action, bool ingress) {
  static const BandParams kBlackhole = BlackholeParams{};
  if (const auto* params = std::get_if<BandParams>(&action)) return params;
  // What arrives is dropped by the program itself: no sender is there to see it.
  return std::holds_alternative<Drop>(action) && !ingress ? &kBlackhole : nullptr;
}

std::vector<fl_net_hook> hooks_of(const TrafficRequest& request) {
  std::vector<fl_net_hook> hooks;
  const bool connects = std::holds_alternative<FailConnect>(request.action);
  if (request.filter.egress && !connects) hooks.push_back(FL_HOOK_EGRESS);
  if (request.filter.ingress) {
    hooks.push_back(std::holds_alternative<Drop>(request.action) ? FL_HOOK_INGRESS : FL_HOOK_SHAPE);
  }
  if (connects || std::holds_alternative<Refuse>(request.action)) hooks.push_back(FL_HOOK_CONNECT);
  return hooks;
}

std::uint32_t depth_of(const std::string& cgroup) {
  return static_cast<std::uint32_t>(std::count(cgroup.begin(), cgroup.end(), '/'));
}

Status look_up_all(const std::vector<std::string>& names, const PeerLookup& lookup, const Target& target,
                   const std::stop_token& stop, std::vector<IpNetwork>& networks) {
  for (const std::string& name : names) {
    FL_ASSIGN_OR_RETURN(const auto found, lookup.lookup(name, target, stop));
    networks.insert(networks.end(), found.begin(), found.end());
  }
  return ok_status();
}

// Where peers may move to, every device with a route is a way to them.
std::vector<IpNetwork> towards(const TrafficRequest& request, const PacketMatch& match) {
  return request.filter.peers.empty() ? match.peers : std::vector<IpNetwork>{};
}

}  // namespace

StatusOr<PacketMatch> look_up(const TrafficFilter& filter, const PeerLookup& lookup, const Target& target,
                              const std::stop_token& stop) {
  PacketMatch match = filter.fixed;
  FL_RETURN_IF_ERROR(look_up_all(filter.peers, lookup, target, stop, match.peers));
  FL_RETURN_IF_ERROR(look_up_all(filter.except, lookup, target, stop, match.except));
  return match;
}

NetTraffic::NetTraffic(StickyLog& log, NetSupport& kernel, const PeerLookup& lookup,
                       std::vector<Exemption> exemptions)
    : kernel_(kernel), lookup_(lookup), exemptions_(std::move(exemptions)), trees_(log) {}

NetTraffic::~NetTraffic() = default;

Status NetTraffic::supported(const TrafficAction& action) {
  FL_RETURN_IF_ERROR(kernel_.steering());
  const BandParams* const band = band_of(action, false);
  return band ? kernel_.band(*band) : ok_status();
}

std::vector<std::string> NetTraffic::limits(const TrafficAction& action) {
  std::vector<std::string> limits;
  const Status detour = kernel_.detour();
  if (band_of(action, true)) {
    limits.emplace_back("what arrives: only where the target's device is a veth");
    if (detour.ok() && !kernel_.redirect().ok()) {
      limits.emplace_back("what arrives: coming and going costs others packets (tcx links come with 6.6)");
    }
  }
  if (band_of(action, false) && !detour.ok()) {
    limits.push_back(fmt::format("coming and going costs others packets ({})", message_of(detour)));
  }
  return limits;
}

StatusOr<std::vector<std::string>> NetTraffic::plan(const Target& target, const TrafficRequest& request) {
  FL_ASSIGN_OR_RETURN(const PacketMatch match, look_up(request.filter, lookup_, target, {}));
  std::vector<std::string> lines;
  for (const fl_net_hook hook : hooks_of(request)) {
    const bool shape_in = hook == FL_HOOK_SHAPE;
    for (const Netns& netns : target.netns) {
      if (!shape_in && (hook != FL_HOOK_EGRESS || !band_of(request.action, false))) continue;
      FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
      FL_ASSIGN_OR_RETURN(const auto devices, devices_towards(socket, towards(request, match)));
      for (const Device& device : devices) {
        const std::lock_guard lock(mutex_);
        if (shape_in) {
          FL_ASSIGN_OR_RETURN(const HostEnd outside, host_end_of(netns, device));
          FL_ASSIGN_OR_RETURN(std::string line, trees_.plan(outside.netns, outside.device, stand_for(true)));
          lines.push_back(fmt::format("{}: what leaves there arrives at {}", line, device.name));
        } else {
          FL_ASSIGN_OR_RETURN(lines.emplace_back(), trees_.plan(netns, device, stand_for(false)));
        }
      }
    }
    constexpr const char* kWhat[] = {"packets that leave", "packets that arrive at",
                                     "packets on their way to", "connection attempts of"};
    lines.push_back(fmt::format("decide by a BPF program about {} cgroup {}", kWhat[hook], target.cgroup));
  }
  for (const std::string& peer : request.filter.peers) {
    lines.push_back(fmt::format("peer {} is looked up again every 5 s", peer));
  }
  const std::uint32_t lifted = lifted_by(match, exemptions_);
  for (std::size_t i = 0; i < exemptions_.size(); ++i) {
    if (!(lifted & (1u << i))) lines.push_back(fmt::format("exempt: {}", exemptions_[i].name));
  }
  return lines;
}

std::shared_ptr<NetSteer> NetTraffic::steer_of(const Target& target) const {
  const auto found = steerings_.find(target.cgroup_id);
  return found == steerings_.end() ? nullptr : found->second.programs.lock();
}

StatusOr<std::shared_ptr<NetSteer>> NetTraffic::steer_for(const Target& target) {
  if (auto steer = steer_of(target)) return steer;
  FL_ASSIGN_OR_RETURN(std::unique_ptr<NetSteer> fresh, kernel_.take_steer());
  std::shared_ptr<NetSteer> steer = std::move(fresh);
  FL_RETURN_IF_ERROR(
      steer->aim(target.cgroup_fd.get(), target.cgroup_id, depth_of(target.cgroup), exemptions_));
  std::erase_if(steerings_, [](const auto& entry) { return entry.second.programs.expired(); });
  // Those of targets that have had no fault for long need no look any more.
  constexpr std::size_t kRemembered = 256;
  if (outside_.size() > kRemembered) {
    std::erase_if(outside_, [&](const auto& entry) {
      return entry.first != target.cgroup_id && !steerings_.contains(entry.first);
    });
  }
  steerings_[target.cgroup_id] = {.programs = steer, .id = next_id_++, .doors = {}};
  return steer;
}

Stand NetTraffic::stand_for(bool ingress) {
  const bool beside = kernel_.detour().ok() && (!ingress || kernel_.redirect().ok());
  return beside ? Stand::kBeside : Stand::kOn;
}

void NetTraffic::meter(TrafficFault& fault) {
  NetSojourn* const sojourn = kernel_.sojourn();
  if (!sojourn) return;
  std::set<std::uint32_t> seen;
  for (const auto& part : fault.parts_) {
    for (const TreePlace& place : part.places) {
      if (!seen.insert(place.netns).second) continue;
      auto slot = sojourn->watch(place.netns, fault.band_);
      if (slot.ok()) fault.meters_.push_back(*slot);
    }
  }
}

StatusOr<std::unique_ptr<TrafficFault>> NetTraffic::start(const Target& target,
                                                          const TrafficRequest& request) {
  // Before the lock: asking name servers takes its time.
  FL_ASSIGN_OR_RETURN(const PacketMatch match, look_up(request.filter, lookup_, target, {}));
  std::unique_ptr<TrafficFault> fault(new TrafficFault(*this));
  FL_ASSIGN_OR_RETURN(fault->target_, duplicate(target));
  {
    const std::unique_lock lock(mutex_);
    Status status = put_in_place(*fault, request, match);
    if (!status.ok()) {
      if (Status undone = take_away(*fault); !undone.ok()) {
        status = annotate(status, fmt::format("and then, taking it away again: {}", message_of(undone)));
      }
      return status;
    }
  }
  if (request.filter.may_change()) {
    fault->follower_ =
        std::jthread([this, f = fault.get(), filter = request.filter](const std::stop_token& stop) {
          f->follow_peers(stop, filter, lookup_);
        });
  }
  return fault;
}

Status NetTraffic::place_bands(TrafficFault& fault, const TrafficRequest& request, const PacketMatch& match) {
  const BandParams* band = nullptr;
  std::map<TreePlace, Steered> places;
  for (TrafficFault::Part& part : fault.parts_) {
    const bool ingress = part.hook == FL_HOOK_SHAPE;
    if (part.hook != FL_HOOK_EGRESS && !ingress) continue;
    const BandParams* const params = band_of(request.action, ingress);
    if (!params) continue;
    band = params;
    for (const Netns& netns : fault.target_.netns) {
      FL_ASSIGN_OR_RETURN(NetlinkSocket inside, NetlinkSocket::open(netns));
      FL_ASSIGN_OR_RETURN(const auto devices, devices_towards(inside, towards(request, match)));
      for (const Device& device : devices) {
        std::optional<HostEnd> outside;
        if (ingress) {
          FL_ASSIGN_OR_RETURN(outside, host_end_of(netns, device));
        }
        const Netns& where = ingress ? outside->netns : netns;
        FL_ASSIGN_OR_RETURN(const TreePlace place,
                            trees_.ensure(where, ingress ? outside->device : device, stand_for(ingress)));
        part.places.push_back(place);
        places.emplace(place, ingress ? Steered::kByFilter : Steered::kByPriority);
        if (!fault.sockets_.contains(where.inode)) {
          FL_ASSIGN_OR_RETURN(NetlinkSocket own, NetlinkSocket::open(where));
          fault.sockets_.emplace(where.inode, std::move(own));
        }
        if (!ingress) continue;
        fault.nsids_[place] = outside->nsid;
        outside_[fault.target_.cgroup_id].emplace(place.netns, place.ifindex);
        outside_netns_.try_emplace(where.inode, std::move(outside->netns));
      }
    }
  }
  if (!band) return ok_status();
  FL_ASSIGN_OR_RETURN(const std::uint32_t free, trees_.free_band(places));
  fault.band_ = free;
  fault.patience_ =
      std::min<Nanos>(longest_wait(*band) + std::chrono::milliseconds(50), std::chrono::seconds(2));
  for (const auto& [place, steered] : places) {
    FL_RETURN_IF_ERROR(trees_.add_band(place, free, steered, *band));
  }
  if (!std::holds_alternative<BlackholeParams>(*band)) meter(fault);
  return ok_status();
}

Status NetTraffic::open_doors(TrafficFault& fault, TrafficFault::Part& part) {
  Steering& steering = steerings_.at(fault.target_.cgroup_id);
  for (const TreePlace& place : part.places) {
    part.doors.push_back(place);
    Steering::Door& door = steering.doors[place];
    if (door.users++ > 0) continue;
    const Detour* const detour = trees_.detour(place);
    FL_RETURN_IF_ERROR(fault.steer_->open_door({.ifindex = place.ifindex,
                                                .nsid = fault.nsids_.at(place),
                                                .entry = detour ? detour->entry().ifindex : 0,
                                                .exit = detour ? detour->exit().ifindex : 0}));
    if (detour) {
      FL_ASSIGN_OR_RETURN(door.link,
                          fault.steer_->attach_redirect(outside_netns_.at(place.netns), place.ifindex));
      continue;
    }
    FL_ASSIGN_OR_RETURN(const int program, fault.steer_->shape_program());
    FL_RETURN_IF_ERROR(trees_.add_filter(place, steering.id, program));
  }
  return ok_status();
}

SteerRule NetTraffic::rule_of(const TrafficRequest& request, const PacketMatch& match, fl_net_hook hook,
                              std::uint32_t band) const {
  SteerRule rule;
  rule.match = match;
  rule.hooks = hook_bit(hook);
  rule.precedence = request.precedence;
  rule.lifted = lifted_by(match, exemptions_);
  rule.schedule = request.schedule;
  rule.selection = request.selection;
  rule.seed = request.seed;
  rule.share = request.filter.share;
  rule.share_of_connections = request.filter.share_of_connections;
  rule.priority = band != 0 ? kTreeHandle | band : 0;
  rule.error = EPERM;
  if (const auto* fail = std::get_if<FailConnect>(&request.action)) rule.error = fail->error;
  return rule;
}

Status NetTraffic::put_in_place(TrafficFault& fault, const TrafficRequest& request,
                                const PacketMatch& match) {
  for (const fl_net_hook hook : hooks_of(request)) {
    TrafficFault::Part part;
    part.hook = hook;
    fault.parts_.push_back(std::move(part));
  }
  FL_RETURN_IF_ERROR(place_bands(fault, request, match));
  FL_ASSIGN_OR_RETURN(fault.steer_, steer_for(fault.target_));
  for (TrafficFault::Part& part : fault.parts_) {
    if (part.hook == FL_HOOK_SHAPE) FL_RETURN_IF_ERROR(open_doors(fault, part));
    FL_ASSIGN_OR_RETURN(part.fault, fault.steer_->add(rule_of(request, match, part.hook, fault.band_)));
  }
  return ok_status();
}

Status NetTraffic::close_door(TrafficFault& fault, const TreePlace& place) {
  const auto steering = steerings_.find(fault.target_.cgroup_id);
  if (!fault.steer_ || steering == steerings_.end()) return ok_status();
  const auto door = steering->second.doors.find(place);
  if (door == steering->second.doors.end() || --door->second.users > 0) return ok_status();
  steering->second.doors.erase(door);
  fault.steer_->close_door(place.ifindex);
  return trees_.remove_filter(place, steering->second.id);
}

Status NetTraffic::take_away(TrafficFault& fault) {
  Status result;
  bool all = true;
  for (TrafficFault::Part& part : fault.parts_) {
    if (part.fault >= 0) fault.steer_->remove(std::exchange(part.fault, -1));
    // A filter that stays is inert without its programs, and goes with the tree.
    for (const TreePlace& place : std::exchange(part.doors, {})) result.Update(close_door(fault, place));
    for (const TreePlace& place : std::exchange(part.places, {})) {
      const Status removed = trees_.release(place, fault.band_);
      if (!removed.ok()) part.places.push_back(place);  // for another try
      result.Update(removed);
    }
    all = all && part.places.empty();
  }
  if (all) fault.sockets_.clear();
  for (const int slot : fault.meters_) kernel_.sojourn()->unwatch(slot);
  fault.meters_.clear();
  fault.steer_.reset();  // the last one detaches the programs
  return result;
}

StatusOr<std::vector<StateItem>> NetTraffic::snapshot(const Target& target) {
  std::vector<StateItem> items;
  for (const Netns& netns : target.netns) {
    FL_ASSIGN_OR_RETURN(auto inside, NetTrees::snapshot(netns, {}));
    std::move(inside.begin(), inside.end(), std::back_inserter(items));
    FL_ASSIGN_OR_RETURN(auto routes, route_items(netns));
    std::move(routes.begin(), routes.end(), std::back_inserter(items));
  }
  const std::lock_guard lock(mutex_);  // before asking: our own programs must not come or go meanwhile
  if (const auto outside = outside_.find(target.cgroup_id); outside != outside_.end()) {
    for (const auto& [netns, ifindex] : outside->second) {
      FL_ASSIGN_OR_RETURN(auto there, NetTrees::snapshot(outside_netns_.at(netns), {ifindex}));
      // What others do to the host's devices meanwhile is theirs.
      std::erase_if(there, [](const StateItem& item) { return !item.ours; });
      std::move(there.begin(), there.end(), std::back_inserter(items));
    }
  }
  const auto programs = cgroup_programs(target.cgroup_fd.get(), kHooks);
  if (programs.status().code() == StatusCode::kNotFound)
    return items;  // the cgroup is gone, and they with it
  FL_RETURN_IF_ERROR(programs.status());
  const auto steer = steer_of(target);
  const std::vector<CgroupProgram> ours = steer ? steer->attached_programs() : std::vector<CgroupProgram>{};
  for (const CgroupProgram& program : *programs) {
    items.push_back(
        {.text = to_string(program), .ours = std::find(ours.begin(), ours.end(), program) != ours.end()});
  }
  return items;
}

std::vector<std::string> NetTraffic::owned(const Target& target) {
  const std::lock_guard lock(mutex_);
  std::set<std::uint32_t> namespaces;
  for (const Netns& netns : target.netns) namespaces.insert(netns.inode);
  if (const auto outside = outside_.find(target.cgroup_id); outside != outside_.end()) {
    for (const auto& [netns, ifindex] : outside->second) namespaces.insert(netns);
  }
  std::vector<std::string> texts;
  for (const std::uint32_t netns : namespaces) {
    for (auto& text : trees_.owned(netns)) texts.push_back(std::move(text));
  }
  if (const auto steer = steer_of(target)) {
    for (const CgroupProgram& program : steer->attached_programs()) texts.push_back(to_string(program));
  }
  return texts;
}

}  // namespace faultline
