#include "agent/faults/net_shaper.h"

#include <algorithm>
#include <utility>

#include "agent/kernel/cgroup_programs.h"
#include "agent/kernel/net_support.h"
#include "common/log.h"

namespace faultline {
namespace {

std::string tree_text(int ifindex) {
  return fmt::format("interface {}: root qdisc prio fa17:", ifindex);
}
std::string band_text(int ifindex, std::uint32_t band) {
  return fmt::format("interface {}: qdisc in band {}", ifindex, band);
}

StateItem item_of(const Qdisc& qdisc) {
  const bool tree = qdisc.is_root() && qdisc.handle == kTreeHandle;
  const bool band = (qdisc.parent & 0xffff0000u) == kTreeHandle;
  std::string text = fmt::format("interface {}: qdisc {} {:x}: parent {:x}", qdisc.ifindex, qdisc.kind,
                                 qdisc.handle >> 16, qdisc.parent);
  if (tree) text = tree_text(qdisc.ifindex);
  if (band) text = band_text(qdisc.ifindex, qdisc.parent & 0xffff);
  return {.text = std::move(text), .ours = tree || band};
}

}  // namespace

ShapedTraffic::~ShapedTraffic() {
  if (Status status = revert(); !status.ok())
    spdlog::error("event=revert_failed error=\"{}\"", message_of(status));
}

void ShapedTraffic::set_deadline(MonoTime deadline) {
  steer_->set_deadline(fault_, deadline);
}

SteerCounters ShapedTraffic::counters() const {
  return fault_ >= 0 ? steer_->counters(fault_) : last_;
}

SojournSamples ShapedTraffic::sojourn() const {
  SojournSamples all;
  for (const int slot : meters_) {
    SojournSamples one = shaper_.sojourn_->samples(slot);
    all.count += one.count;
    all.newest.insert(all.newest.end(), one.newest.begin(), one.newest.end());
  }
  return all;
}

std::uint64_t ShapedTraffic::shaped() {
  std::uint64_t now = 0;
  for (const Place& place : places_) {
    const auto qdisc = band_qdisc(sockets_.at(place.netns), place.ifindex, band_);
    if (qdisc.ok()) now += qdisc->sent + qdisc->queued + qdisc->drops;
  }
  shaped_ = std::max(shaped_, now);
  return shaped_;
}

void ShapedTraffic::stop() {
  const std::lock_guard lock(shaper_.mutex_);
  if (fault_ < 0) return;
  steer_->remove(fault_);
  last_ = steer_->counters(fault_);
  fault_ = -1;
}

Status ShapedTraffic::revert() {
  stop();
  // Packets that still wait in the band belong to the target; they go first, and nobody else waits for that.
  for (const Place& place : places_) {
    drain_band(sockets_.at(place.netns), place.ifindex, band_, patience_);
  }
  const std::lock_guard lock(shaper_.mutex_);
  return shaper_.take_away(*this);
}

NetShaper::NetShaper(StickyLog& log) : log_(log) {}

NetShaper::~NetShaper() = default;

Status NetShaper::supported() {
  const std::lock_guard lock(mutex_);
  if (supported_) return *supported_;
  supported_ = probe_shaping_support();
  if (!supported_->ok()) return *supported_;
  auto sojourn = NetSojourn::make();
  if (sojourn.ok()) {
    sojourn_ = std::move(*sojourn);
  } else {
    spdlog::info("event=no_delay_meter reason=\"{}\"", message_of(sojourn.status()));
  }
  return *supported_;
}

StatusOr<NetShaper::Namespace*> NetShaper::namespace_of(const Netns& netns) {
  if (auto known = namespaces_.find(netns.inode); known != namespaces_.end()) return &known->second;
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
  return &namespaces_.try_emplace(netns.inode, std::move(socket)).first->second;
}

StatusOr<std::vector<std::string>> NetShaper::plan(const Target& target, const PacketMatch& match) {
  std::vector<std::string> lines;
  for (const Netns& netns : target.netns) {
    FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
    FL_ASSIGN_OR_RETURN(const auto devices, devices_towards(socket, match.peers));
    for (const Device& device : devices) {
      const std::lock_guard lock(mutex_);
      const auto ns = namespaces_.find(netns.inode);
      const bool there = ns != namespaces_.end() && ns->second.trees.contains(device.ifindex);
      if (!there) FL_RETURN_IF_ERROR(check_tree_possible(socket, device));
      lines.push_back(
          fmt::format("{} {} in network namespace {}, a qdisc in a band of its own",
                      there ? "use the qdisc tree fa17: that is already on" : "put the qdisc tree fa17: on",
                      device.name, netns.inode));
    }
  }
  lines.push_back(fmt::format("steer matching packets of cgroup {} there by a BPF program", target.cgroup));
  return lines;
}

StatusOr<std::uint32_t> NetShaper::free_band(const std::vector<ShapedTraffic::Place>& places) const {
  for (std::uint32_t band = kFirstBand; band <= kLastBand; ++band) {
    // Free on every device of the namespaces, not only on the fault's own: a packet may leave by another one.
    const bool taken = std::any_of(places.begin(), places.end(), [&](const auto& place) {
      const auto& trees = namespaces_.at(place.netns).trees;
      return std::any_of(trees.begin(), trees.end(), [&](const auto& t) { return t.second.tree->has(band); });
    });
    if (!taken) return band;
  }
  return make_error(StatusCode::kResourceExhausted,
                    "at most {} shaping faults at once in one network namespace", kLastBand - kFirstBand + 1);
}

Status NetShaper::ensure_tree(const Netns& netns, Namespace& ns, const Device& device) {
  if (ns.trees.contains(device.ifindex)) return ok_status();
  FL_RETURN_IF_ERROR(check_tree_possible(ns.socket, device));
  FL_ASSIGN_OR_RETURN(
      const std::uint64_t entry,
      log_.intend({.kind = std::string(kStickyKind),
                   .where = {{"netns", netns.inode}, {"ifindex", device.ifindex}, {"device", device.name}},
                   .will = {.action = StickyWill::Action::kRemoveRootQdisc,
                            .fd = netns.fd.get(),
                            .ifindex = device.ifindex,
                            .handle = kTreeHandle}}));
  auto tree = NetTree::make(ns.socket, device);
  if (!tree.ok()) {
    const StatusCode code = tree.status().code();
    // Somebody else's qdisc was in the way: nothing of ours is there. Otherwise it may be, whatever the error
    // says.
    const bool none_of_ours = code == StatusCode::kFailedPrecondition || code == StatusCode::kAlreadyExists;
    const Status removed = none_of_ours ? ok_status() : remove_tree(ns.socket, device.ifindex);
    if (removed.ok() || removed.code() == StatusCode::kNotFound) FL_RETURN_IF_ERROR(log_.settle(entry));
    return tree.status();
  }
  ns.trees.emplace(device.ifindex, Tree{.tree = std::move(*tree), .log_entry = entry});
  return ok_status();
}

std::shared_ptr<NetSteer> NetShaper::steer_of(const Target& target) const {
  const auto found = steers_.find(target.cgroup_id);
  return found == steers_.end() ? nullptr : found->second.lock();
}

StatusOr<std::shared_ptr<NetSteer>> NetShaper::steer_for(const Target& target) {
  if (auto steer = steer_of(target)) return steer;
  FL_ASSIGN_OR_RETURN(std::unique_ptr<NetSteer> made, NetSteer::make(target.cgroup_fd.get()));
  std::shared_ptr<NetSteer> steer = std::move(made);
  std::erase_if(steers_, [](const auto& entry) { return entry.second.expired(); });
  steers_[target.cgroup_id] = steer;
  return steer;
}

void NetShaper::meter(ShapedTraffic& traffic) {
  if (!sojourn_) return;
  std::vector<std::uint32_t> seen;
  for (const auto& place : traffic.places_) {
    if (std::find(seen.begin(), seen.end(), place.netns) != seen.end()) continue;
    seen.push_back(place.netns);
    auto slot = sojourn_->watch(place.netns, traffic.band_);
    if (slot.ok()) traffic.meters_.push_back(*slot);
  }
}

StatusOr<std::unique_ptr<ShapedTraffic>> NetShaper::shape(const Target& target, const ShapeRequest& request) {
  std::unique_ptr<ShapedTraffic> traffic(new ShapedTraffic(*this));
  const std::unique_lock lock(mutex_);
  Status status = put_in_place(*traffic, target, request);
  if (status.ok()) return traffic;
  if (Status undone = take_away(*traffic); !undone.ok()) {
    status = annotate(status, fmt::format("and then, taking it away again: {}", message_of(undone)));
  }
  return status;
}

Status NetShaper::put_in_place(ShapedTraffic& traffic, const Target& target, const ShapeRequest& request) {
  traffic.patience_ =
      std::min<Nanos>(longest_wait(request.band) + std::chrono::milliseconds(50), std::chrono::seconds(2));
  for (const Netns& netns : target.netns) {
    FL_ASSIGN_OR_RETURN(Namespace* const ns, namespace_of(netns));
    FL_ASSIGN_OR_RETURN(NetlinkSocket own, NetlinkSocket::open(netns));
    traffic.sockets_.emplace(netns.inode, std::move(own));
    FL_ASSIGN_OR_RETURN(const auto devices, devices_towards(ns->socket, request.match.peers));
    for (const Device& device : devices) {
      FL_RETURN_IF_ERROR(ensure_tree(netns, *ns, device));
      traffic.places_.push_back({.netns = netns.inode, .ifindex = device.ifindex});
    }
  }
  FL_ASSIGN_OR_RETURN(const std::uint32_t band, free_band(traffic.places_));
  for (const auto& place : traffic.places_) {
    traffic.band_ = band;
    FL_RETURN_IF_ERROR(
        namespaces_.at(place.netns).trees.at(place.ifindex).tree->add_band(band, request.band));
  }
  if (std::holds_alternative<NetemParams>(request.band)) meter(traffic);
  FL_ASSIGN_OR_RETURN(traffic.steer_, steer_for(target));
  FL_ASSIGN_OR_RETURN(traffic.fault_, traffic.steer_->add(request.match,
                                                          {.priority = kTreeHandle | band,
                                                           .probability = request.probability,
                                                           .seed = request.seed},
                                                          request.deadline));
  return ok_status();
}

Status NetShaper::take_away(ShapedTraffic& traffic) {
  Status result;
  for (const auto& place : std::exchange(traffic.places_, {})) {
    const auto ns = namespaces_.find(place.netns);
    if (ns == namespaces_.end()) continue;
    const auto found = ns->second.trees.find(place.ifindex);
    if (found == ns->second.trees.end()) continue;
    NetTree& tree = *found->second.tree;
    Status removed;
    // Before its band was chosen, a fault has none; a band that another fault has is not ours to take.
    if (traffic.band_ != 0 && tree.has(traffic.band_)) removed = tree.remove_band(traffic.band_);
    const bool last = removed.ok() && tree.idle();
    if (last) removed = tree.remove();
    if (!removed.ok()) traffic.places_.push_back(place);  // for another try
    result.Update(removed);
    if (!last || !removed.ok()) continue;
    result.Update(log_.settle(found->second.log_entry));
    ns->second.trees.erase(found);
  }
  if (traffic.places_.empty()) traffic.sockets_.clear();
  std::erase_if(namespaces_, [](const auto& entry) { return entry.second.trees.empty(); });
  for (const int slot : traffic.meters_) sojourn_->unwatch(slot);
  traffic.meters_.clear();
  traffic.steer_.reset();  // the last one detaches the program
  return result;
}

StatusOr<std::vector<StateItem>> NetShaper::snapshot(const Target& target) {
  std::vector<StateItem> items;
  for (const Netns& netns : target.netns) {
    FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
    FL_ASSIGN_OR_RETURN(const auto qdiscs, list_qdiscs(socket));
    for (const Qdisc& qdisc : qdiscs) {
      // Without a handle it is the kernel's own default, which comes back by itself.
      if (qdisc.handle != 0) items.push_back(item_of(qdisc));
    }
  }
  const std::lock_guard lock(mutex_);  // before asking: our own program must not come or go meanwhile
  auto programs = cgroup_programs(target.cgroup_fd.get(), {CgroupHook::kEgress});
  if (programs.status().code() == StatusCode::kNotFound)
    return items;  // the cgroup is gone, and they with it
  FL_RETURN_IF_ERROR(programs.status());
  const auto steer = steer_of(target);
  for (const CgroupProgram& program : *programs) {
    items.push_back({.text = to_string(program), .ours = steer && steer->program_id() == program.id});
  }
  return items;
}

std::vector<std::string> NetShaper::owned(const Target& target) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (const Netns& netns : target.netns) {
    const auto ns = namespaces_.find(netns.inode);
    if (ns == namespaces_.end()) continue;
    for (const auto& [ifindex, tree] : ns->second.trees) {
      texts.push_back(tree_text(ifindex));
      for (std::uint32_t band = kFirstBand; band <= kLastBand; ++band) {
        if (tree.tree->has(band)) texts.push_back(band_text(ifindex, band));
      }
    }
  }
  if (const auto steer = steer_of(target)) {
    texts.push_back(to_string(CgroupProgram{.hook = CgroupHook::kEgress, .id = steer->program_id()}));
  }
  return texts;
}

Status NetShaper::undo(const nlohmann::json& where) {
  if (!where.is_object() || !where.value("netns", nlohmann::json()).is_number_unsigned() ||
      !where.value("ifindex", nlohmann::json()).is_number_integer()) {
    return invalid_argument("the record names no network interface");
  }
  const auto netns = find_netns(where.at("netns").get<std::uint32_t>());
  if (netns.status().code() == StatusCode::kNotFound)
    return ok_status();  // the namespace took its tree with it
  FL_RETURN_IF_ERROR(netns.status());
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(*netns));
  const Status status = remove_tree(socket, where.at("ifindex").get<int>());
  return status.code() == StatusCode::kNotFound ? ok_status() : status;
}

}  // namespace faultline
