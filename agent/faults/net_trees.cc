#include "agent/faults/net_trees.h"

#include <algorithm>

#include "agent/kernel/graded_netem.h"
#include "agent/kernel/tree_filter.h"
#include "common/scope_exit.h"

namespace faultline {
namespace {

std::string detour_text(std::uint32_t netns, int ifindex) {
  return fmt::format("netns {} interface {}: veth pair {}", netns, ifindex, detour_entry_name(ifindex));
}
// What holds the qdiscs is named by its number.
std::string tree_text(std::uint32_t netns, int ifindex) {
  return fmt::format("netns {} interface {}: root qdisc prio fa17:", netns, ifindex);
}
std::string band_text(std::uint32_t netns, int ifindex, std::uint32_t band) {
  return fmt::format("netns {} interface {}: qdisc in band {} of fa17:", netns, ifindex, band);
}
std::string filter_text(std::uint32_t netns, int ifindex, std::uint32_t id) {
  return fmt::format("netns {} interface {}: filter {} of fa17:", netns, ifindex, id);
}

StateItem item_of(std::uint32_t netns, const Qdisc& qdisc) {
  const bool tree = qdisc.is_root() && qdisc.handle == kTreeHandle;
  const bool band =
      (qdisc.parent & 0xffff0000u) == kTreeHandle && qdisc.handle == band_handle(qdisc.parent & 0xffff);
  if (tree) return {.text = tree_text(netns, qdisc.ifindex), .ours = true};
  if (band) return {.text = band_text(netns, qdisc.ifindex, qdisc.parent & 0xffff), .ours = true};
  return {.text = fmt::format("netns {} interface {}: qdisc {} {:x}: parent {:x}", netns, qdisc.ifindex,
                              qdisc.kind, qdisc.handle >> 16, qdisc.parent),
          .ours = false};
}

StatusOr<Stand> stand_at(NetlinkSocket& socket, const Device& device, Stand wanted) {
  if (wanted == Stand::kOn) return wanted;
  FL_ASSIGN_OR_RETURN(const bool fits, detour_fits(socket, device));
  return fits ? Stand::kBeside : Stand::kOn;
}

Status undo(const nlohmann::json& where, Status (*remove)(NetlinkSocket&, int)) {
  if (!where.is_object() || !where.value("netns", nlohmann::json()).is_number_unsigned() ||
      !where.value("ifindex", nlohmann::json()).is_number_integer()) {
    return invalid_argument("the record names no network interface");
  }
  const auto netns = find_netns(where.at("netns").get<std::uint32_t>());
  // The namespace took everything in it along.
  if (netns.status().code() == StatusCode::kNotFound) return ok_status();
  FL_RETURN_IF_ERROR(netns.status());
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(*netns));
  const Status status = remove(socket, where.at("ifindex").get<int>());
  return status.code() == StatusCode::kNotFound ? ok_status() : status;
}

}  // namespace

StatusOr<NetTrees::Namespace*> NetTrees::namespace_of(const Netns& netns) {
  if (auto known = namespaces_.find(netns.inode); known != namespaces_.end()) return &known->second;
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
  return &namespaces_.try_emplace(netns.inode, std::move(socket)).first->second;
}

NetTrees::Tree* NetTrees::find(const TreePlace& place) {
  const auto ns = namespaces_.find(place.netns);
  if (ns == namespaces_.end()) return nullptr;
  const auto tree = ns->second.trees.find(place);
  return tree == ns->second.trees.end() ? nullptr : &tree->second;
}

const Detour* NetTrees::detour(const TreePlace& place) const {
  const auto ns = namespaces_.find(place.netns);
  if (ns == namespaces_.end()) return nullptr;
  const auto tree = ns->second.trees.find(place);
  return tree == ns->second.trees.end() ? nullptr : tree->second.tree->detour();
}

std::optional<TreePlace> NetTrees::place_of(std::uint32_t netns, const Device& device, Stand stand) const {
  const auto ns = namespaces_.find(netns);
  if (ns == namespaces_.end()) return std::nullopt;
  for (const auto& [place, tree] : ns->second.trees) {
    if (place.ifindex == device.ifindex && place.beside() == (stand == Stand::kBeside)) return place;
  }
  return std::nullopt;
}

StatusOr<std::string> NetTrees::plan(const Netns& netns, const Device& device, Stand wanted) {
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
  FL_ASSIGN_OR_RETURN(const Stand stand, stand_at(socket, device, wanted));
  const bool there = place_of(netns.inode, device, stand).has_value();
  if (!there && !place_of(netns.inode, device, Stand::kOn)) {
    FL_RETURN_IF_ERROR(check_tree_possible(socket, device));
  }
  return fmt::format(
      "{} {} {} in network namespace {}, with a band of its own{}",
      there ? "use the qdisc tree fa17: that is already" : "put the qdisc tree fa17:",
      stand == Stand::kBeside ? "beside" : "on", device.name, netns.inode,
      !there && stand == Stand::kOn ? ", which costs others packets while it comes and goes" : "");
}

StatusOr<TreePlace> NetTrees::ensure(const Netns& netns, const Device& device, Stand wanted) {
  FL_ASSIGN_OR_RETURN(Namespace* const ns, namespace_of(netns));
  const ScopeExit forget([&] {
    if (ns->trees.empty()) namespaces_.erase(netns.inode);
  });
  FL_ASSIGN_OR_RETURN(const Stand stand, stand_at(ns->socket, device, wanted));
  if (const auto there = place_of(netns.inode, device, stand)) {
    FL_RETURN_IF_ERROR(ns->trees.at(*there).tree->renew(netns));
    return *there;
  }
  // One of ours may stand on the device itself.
  if (!place_of(netns.inode, device, Stand::kOn)) {
    FL_RETURN_IF_ERROR(check_tree_possible(ns->socket, device));
  }
  const bool beside = stand == Stand::kBeside;
  using Action = StickyWill::Action;
  FL_ASSIGN_OR_RETURN(
      const std::uint64_t entry,
      log_.intend({.kind = std::string(beside ? kStickyDetour : kStickyTree),
                   .where = {{"netns", netns.inode}, {"ifindex", device.ifindex}, {"device", device.name}},
                   .will = {.action = beside ? Action::kRemoveDetour : Action::kRemoveRootQdisc,
                            .fd = netns.fd.get(),
                            .ifindex = device.ifindex,
                            .handle = beside ? kDetourGroup : kTreeHandle}}));
  auto tree = beside ? NetTree::beside(netns, ns->socket, device) : NetTree::on(ns->socket, device);
  if (!tree.ok()) {
    const StatusCode code = tree.status().code();
    // Somebody else's was in the way: nothing of ours is there. Otherwise it may be, whatever the error says.
    const bool none_of_ours = code == (beside ? StatusCode::kFailedPrecondition : StatusCode::kAlreadyExists);
    const Status removed = none_of_ours ? ok_status()
                           : beside     ? remove_detour(ns->socket, device.ifindex)
                                        : remove_tree(ns->socket, device.ifindex);
    if (removed.ok() || removed.code() == StatusCode::kNotFound) FL_RETURN_IF_ERROR(log_.settle(entry));
    return tree.status();
  }
  const TreePlace place{netns.inode, device.ifindex, (*tree)->qdiscs_at()};
  ns->trees.emplace(place, Tree{std::move(*tree), entry, {}, {}});
  return place;
}

StatusOr<std::uint32_t> NetTrees::free_band(const std::map<TreePlace, Steered>& places) const {
  const auto collides = [&](const TreePlace& place, Steered steered, std::uint32_t band) {
    const auto& trees = namespaces_.at(place.netns).trees;
    return std::any_of(trees.begin(), trees.end(), [&](const auto& entry) {
      const auto used = entry.second.bands.find(band);
      if (used == entry.second.bands.end()) return false;
      // A priority reaches every tree of the namespace, a filter only its own.
      return entry.first == place || steered == Steered::kByPriority || used->second == Steered::kByPriority;
    });
  };
  for (std::uint32_t band = kFirstBand; band <= kLastBand; ++band) {
    const bool taken = std::any_of(places.begin(), places.end(), [&](const auto& place) {
      return collides(place.first, place.second, band);
    });
    if (!taken) return band;
  }
  return make_error(StatusCode::kResourceExhausted,
                    "at most {} shaping faults at once in one network namespace", kLastBand - kFirstBand + 1);
}

Status NetTrees::add_band(const TreePlace& place, std::uint32_t band, Steered steered,
                          const BandParams& params) {
  Tree& tree = *find(place);
  const Status added = tree.tree->add_band(band, params);
  // What was begun and could not be undone is still there to be released.
  const bool begun = !added.ok() && added.code() != StatusCode::kAlreadyExists &&
                     band_qdisc(namespaces_.at(place.netns).socket, place.qdiscs_at, band).ok();
  if (added.ok() || begun) tree.bands.emplace(band, steered);
  return added;
}

Status NetTrees::add_filter(const TreePlace& place, std::uint32_t id, int program_fd) {
  Tree& tree = *find(place);
  if (tree.filters.contains(id)) return ok_status();
  FL_RETURN_IF_ERROR(
      add_tree_filter(namespaces_.at(place.netns).socket, place.qdiscs_at, id, program_fd, "faultline"));
  tree.filters.insert(id);
  return ok_status();
}

Status NetTrees::remove_filter(const TreePlace& place, std::uint32_t id) {
  Tree* const tree = find(place);
  if (!tree || tree->filters.erase(id) == 0) return ok_status();
  const Status status = remove_tree_filter(namespaces_.at(place.netns).socket, place.qdiscs_at, id);
  return status.code() == StatusCode::kNotFound ? ok_status() : status;
}

Status NetTrees::release(const TreePlace& place, std::uint32_t band) {
  Tree* const tree = find(place);
  if (!tree) return ok_status();
  Status result;
  if (tree->bands.contains(band)) {
    result = tree->tree->remove_band(band);
    if (result.ok()) tree->bands.erase(band);
  }
  if (!tree->bands.empty()) return result;
  const Status removed = tree->tree->remove();
  result.Update(removed.ok() ? log_.settle(tree->log_entry) : removed);
  if (!removed.ok()) return result;
  auto& trees = namespaces_.at(place.netns).trees;
  trees.erase(place);
  if (trees.empty()) namespaces_.erase(place.netns);
  return result;
}

StatusOr<std::vector<StateItem>> NetTrees::snapshot(const Netns& netns, const std::vector<int>& ifindexes) {
  std::set<int> wanted(ifindexes.begin(), ifindexes.end());
  std::vector<StateItem> items;
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
  std::vector<DetourPlace> detours;
  for (const int ifindex : ifindexes) {
    const auto detour = detour_of(socket, ifindex);
    if (detour.ok())
      detours.push_back(*detour);
    else if (detour.status().code() != StatusCode::kNotFound)
      return detour.status();
  }
  if (ifindexes.empty()) {
    FL_ASSIGN_OR_RETURN(detours, list_detours(socket));
  }
  for (const DetourPlace& detour : detours) {
    items.push_back({.text = detour_text(netns.inode, detour.device), .ours = true});
    wanted.insert(detour.entry);
  }
  FL_ASSIGN_OR_RETURN(const auto qdiscs, list_qdiscs(socket));
  for (const Qdisc& qdisc : qdiscs) {
    // Without a handle it is the kernel's own default, which comes back by itself.
    if (qdisc.handle == 0 || is_grade(qdisc) || (!ifindexes.empty() && !wanted.contains(qdisc.ifindex)))
      continue;
    items.push_back(item_of(netns.inode, qdisc));
    if (!qdisc.is_root() || qdisc.handle != kTreeHandle) continue;
    FL_ASSIGN_OR_RETURN(const auto filters, list_tree_filters(socket, qdisc.ifindex));
    for (const TreeFilter& filter : filters) {
      items.push_back({.text = filter_text(netns.inode, qdisc.ifindex, filter.handle), .ours = true});
    }
  }
  return items;
}

std::vector<std::string> NetTrees::owned(std::uint32_t netns) const {
  std::vector<std::string> texts;
  const auto ns = namespaces_.find(netns);
  if (ns == namespaces_.end()) return texts;
  for (const auto& [place, tree] : ns->second.trees) {
    if (place.beside()) {
      texts.push_back(detour_text(netns, place.ifindex));
      texts.push_back(band_text(netns, place.qdiscs_at, kNeutralBand));
    }
    texts.push_back(tree_text(netns, place.qdiscs_at));
    for (const auto& [band, steered] : tree.bands) texts.push_back(band_text(netns, place.qdiscs_at, band));
    for (const std::uint32_t id : tree.filters) texts.push_back(filter_text(netns, place.qdiscs_at, id));
  }
  return texts;
}

Status NetTrees::undo_tree(const nlohmann::json& where) {
  return undo(where, remove_tree);
}

Status NetTrees::undo_detour(const nlohmann::json& where) {
  return undo(where, remove_detour);
}

}  // namespace faultline
