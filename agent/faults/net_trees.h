// Every qdisc tree of the agent, by network namespace and interface, with the bands in use and the filters
// that lead to them. Sticky, and inert without the steering programs: each tree is in the journal before it
// is made and until it is gone. Not thread-safe. Minimum kernel: 5.12 (sch_prio).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/fault/state_item.h"
#include "agent/fault/sticky.h"
#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/net_tree.h"
#include "agent/kernel/netlink.h"

namespace faultline {

// A tree.
struct TreePlace {
  std::uint32_t netns = 0;  // inode
  int ifindex = 0;          // of the device whose packets it gets
  int qdiscs_at = 0;        // of the device that holds it: the same, or the entry of a detour around it
  bool beside() const { return qdiscs_at != ifindex; }
  friend auto operator<=>(const TreePlace&, const TreePlace&) = default;
};

// Who sends packets to a band: programs in the same namespace, which set the priority of whatever leaves by
// any of its devices, or a filter on the one device.
enum class Steered { kByPriority, kByFilter };

// Where a tree stands: on the device itself, which costs others packets while it comes and goes, or beside
// it.
enum class Stand { kOn, kBeside };

class NetTrees {
 public:
  static constexpr std::string_view kStickyTree = "net_tree";
  static constexpr std::string_view kStickyDetour = "net_detour";

  explicit NetTrees(StickyLog& log) : log_(log) {}

  // What ensure() would do, for people; fails where it would.
  StatusOr<std::string> plan(const Netns& netns, const Device& device, Stand wanted);
  // The device has a tree: where it is wanted, or on the device itself where no detour can lead around it.
  // FailedPrecondition when a foreign root qdisc is in the way.
  StatusOr<TreePlace> ensure(const Netns& netns, const Device& device, Stand wanted);
  // Null: the tree is on the device itself, or gone.
  const Detour* detour(const TreePlace& place) const;

  // A band that is free in all of these places, and that no other steering of theirs can hit.
  // ResourceExhausted when all 15 are in use.
  StatusOr<std::uint32_t> free_band(const std::map<TreePlace, Steered>& places) const;
  Status add_band(const TreePlace& place, std::uint32_t band, Steered steered, const BandParams& params);
  // Takes the filter `id` with the program to the tree.
  Status add_filter(const TreePlace& place, std::uint32_t id, int program_fd);
  Status remove_filter(const TreePlace& place, std::uint32_t id);
  // Removes the band (0: none was chosen), and the tree when nothing else uses it. OK when it is gone
  // already.
  Status release(const TreePlace& place, std::uint32_t band);

  // The qdiscs and filters of these devices as items; empty devices: of all in the namespace.
  static StatusOr<std::vector<StateItem>> snapshot(const Netns& netns, const std::vector<int>& ifindexes);
  // Texts of the items of ours that are in place in the namespace.
  std::vector<std::string> owned(std::uint32_t netns) const;

  // Rows of the undo table: remove what an earlier agent left behind.
  static Status undo_tree(const nlohmann::json& where);
  static Status undo_detour(const nlohmann::json& where);

 private:
  struct Tree {
    std::unique_ptr<NetTree> tree;
    std::uint64_t log_entry = 0;
    std::map<std::uint32_t, Steered> bands;
    std::set<std::uint32_t> filters;
  };
  struct Namespace {
    explicit Namespace(NetlinkSocket s) : socket(std::move(s)) {}
    NetlinkSocket socket;
    std::map<TreePlace, Tree> trees;
  };
  StatusOr<Namespace*> namespace_of(const Netns& netns);
  Tree* find(const TreePlace& place);
  std::optional<TreePlace> place_of(std::uint32_t netns, const Device& device, Stand stand) const;

  StickyLog& log_;
  std::map<std::uint32_t, Namespace> namespaces_;  // by inode
};

}  // namespace faultline
