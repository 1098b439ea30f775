#include "agent/faults/net_trees.h"

#include <algorithm>

#include "agent/kernel/tree_filter.h"

namespace faultline {
namespace {

std::string tree_text(const TreePlace& place) {
  return fmt::format("netns {} interface {}: root qdisc prio fa17:", place.netns, place.ifindex);
}
std::string band_text(const TreePlace& place, std::uint32_t band) {
  return fmt::format("netns {} interface {}: qdisc in band {} of fa17:", place.netns, place.ifindex, band);
}
std::string filter_text(const TreePlace& place, std::uint32_t id) {
  return fmt::format("netns {} interface {}: filter {} of fa17:", place.netns, place.ifindex, id);
}

StateItem item_of(const TreePlace& place, const Qdisc& qdisc) {
  const bool tree = qdisc.is_root() && qdisc.handle == kTreeHandle;
  const bool band =
      (qdisc.parent & 0xffff0000u) == kTreeHandle && qdisc.handle == band_handle(qdisc.parent & 0xffff);
  if (tree) return {.text = tree_text(place), .ours = true};
  if (band) return {.text = band_text(place, qdisc.parent & 0xffff), .ours = true};
  return {.text = fmt::format("netns {} interface {}: qdisc {} {:x}: parent {:x}", place.netns, place.ifindex,
                              qdisc.kind, qdisc.handle >> 16, qdisc.parent),
          .ours = false};
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
  const auto tree = ns->second.trees.find(place.ifindex);
  return tree == ns->second.trees.end() ? nullptr : &tree->second;
}

bool NetTrees::has(const TreePlace& place) const {
  const auto ns = namespaces_.find(place.netns);
  return ns != namespaces_.end() && ns->second.trees.contains(place.ifindex);
}

StatusOr<std::string> NetTrees::plan(const Netns& netns, const Device& device) {
  const bool there = has({netns.inode, device.ifindex});
  if (!there) {
    FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
    FL_RETURN_IF_ERROR(check_tree_possible(socket, device));
  }
  return fmt::format("{} {} in network namespace {}, with a band of its own",
                     there ? "use the qdisc tree fa17: that is already on" : "put the qdisc tree fa17: on",
                     device.name, netns.inode);
}

StatusOr<TreePlace> NetTrees::ensure(const Netns& netns, const Device& device) {
  const TreePlace place{netns.inode, device.ifindex};
  if (has(place)) return place;
  FL_ASSIGN_OR_RETURN(Namespace* const ns, namespace_of(netns));
  FL_RETURN_IF_ERROR(check_tree_possible(ns->socket, device));
  FL_ASSIGN_OR_RETURN(
      const std::uint64_t entry,
      log_.intend({.kind = std::string(kStickyKind),
                   .where = {{"netns", netns.inode}, {"ifindex", device.ifindex}, {"device", device.name}},
                   .will = {.action = StickyWill::Action::kRemoveRootQdisc,
                            .fd = netns.fd.get(),
                            .ifindex = device.ifindex,
                            .handle = kTreeHandle}}));
  auto tree = NetTree::make(ns->socket, device);
  if (!tree.ok()) {
    const StatusCode code = tree.status().code();
    // Somebody else's qdisc was in the way: nothing of ours is there. Otherwise it may be, whatever the error
    // says.
    const bool none_of_ours = code == StatusCode::kFailedPrecondition || code == StatusCode::kAlreadyExists;
    const Status removed = none_of_ours ? ok_status() : remove_tree(ns->socket, device.ifindex);
    if (removed.ok() || removed.code() == StatusCode::kNotFound) FL_RETURN_IF_ERROR(log_.settle(entry));
    return tree.status();
  }
  ns->trees.emplace(device.ifindex, Tree{std::move(*tree), entry, {}, {}});
  return place;
}

StatusOr<std::uint32_t> NetTrees::free_band(const std::map<TreePlace, Steered>& places) const {
  const auto collides = [&](const TreePlace& place, Steered steered, std::uint32_t band) {
    const auto& trees = namespaces_.at(place.netns).trees;
    return std::any_of(trees.begin(), trees.end(), [&](const auto& entry) {
      const auto used = entry.second.bands.find(band);
      if (used == entry.second.bands.end()) return false;
      // A priority reaches every device of the namespace, a filter only its own.
      return entry.first == place.ifindex || steered == Steered::kByPriority ||
             used->second == Steered::kByPriority;
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
  FL_RETURN_IF_ERROR(tree.tree->add_band(band, params));
  tree.bands.emplace(band, steered);
  return ok_status();
}

Status NetTrees::add_filter(const TreePlace& place, std::uint32_t id, int program_fd) {
  Tree& tree = *find(place);
  if (tree.filters.contains(id)) return ok_status();
  FL_RETURN_IF_ERROR(
      add_tree_filter(namespaces_.at(place.netns).socket, place.ifindex, id, program_fd, "faultline"));
  tree.filters.insert(id);
  return ok_status();
}

Status NetTrees::remove_filter(const TreePlace& place, std::uint32_t id) {
  Tree* const tree = find(place);
  if (!tree || tree->filters.erase(id) == 0) return ok_status();
  const Status status = remove_tree_filter(namespaces_.at(place.netns).socket, place.ifindex, id);
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
  trees.erase(place.ifindex);
  if (trees.empty()) namespaces_.erase(place.netns);
  return result;
}

StatusOr<std::vector<StateItem>> NetTrees::snapshot(const Netns& netns, const std::vector<int>& ifindexes) {
  const auto wanted = [&](int ifindex) {
    return ifindexes.empty() || std::find(ifindexes.begin(), ifindexes.end(), ifindex) != ifindexes.end();
  };
  std::vector<StateItem> items;
  FL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(netns));
  FL_ASSIGN_OR_RETURN(const auto qdiscs, list_qdiscs(socket));
  for (const Qdisc& qdisc : qdiscs) {
    // Without a handle it is the kernel's own default, which comes back by itself.
    if (qdisc.handle == 0 || !wanted(qdisc.ifindex)) continue;
    const TreePlace place{netns.inode, qdisc.ifindex};
    items.push_back(item_of(place, qdisc));
    if (!qdisc.is_root() || qdisc.handle != kTreeHandle) continue;
    FL_ASSIGN_OR_RETURN(const auto filters, list_tree_filters(socket, qdisc.ifindex));
    for (const TreeFilter& filter : filters) {
      items.push_back({.text = filter_text(place, filter.handle), .ours = true});
    }
  }
  return items;
}

std::vector<std::string> NetTrees::owned(std::uint32_t netns) const {
  std::vector<std::string> texts;
  const auto ns = namespaces_.find(netns);
  if (ns == namespaces_.end()) return texts;
  for (const auto& [ifindex, tree] : ns->second.trees) {
    const TreePlace place{netns, ifindex};
    texts.push_back(tree_text(place));
    for (const auto& [band, steered] : tree.bands) texts.push_back(band_text(place, band));
    for (const std::uint32_t id : tree.filters) texts.push_back(filter_text(place, id));
  }
  return texts;
}

Status NetTrees::undo(const nlohmann::json& where) {
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
