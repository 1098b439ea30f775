// The base of every shaping network fault: BPF steers the packets of a target, netem shapes them (design: BPF
// decides, netem shapes). Kinds of fault say what to match and how to shape; this class does it.
//
// Auto: the steering program (one a target). Sticky, and inert without it: the qdisc tree on each device that
// leads to the peers, and one band qdisc a fault. Minimum kernel: 5.12, cgroup v2, sch_prio and sch_netem.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/fault/state_item.h"
#include "agent/fault/sticky.h"
#include "agent/kernel/net_sojourn.h"
#include "agent/kernel/net_steer.h"
#include "agent/kernel/net_tree.h"
#include "agent/target/target.h"
#include "common/clock.h"

namespace faultline {

struct ShapeRequest {
  PacketMatch match;
  double probability = 1.0;  // of a matching packet being steered
  std::uint64_t seed = 0;
  BandParams band;
  MonoTime deadline;
};

class NetShaper;

// One shaping fault in force; reverts when destroyed.
class ShapedTraffic {
 public:
  ~ShapedTraffic();
  ShapedTraffic(const ShapedTraffic&) = delete;
  ShapedTraffic& operator=(const ShapedTraffic&) = delete;

  void set_deadline(MonoTime deadline);
  SteerCounters counters() const;
  // Packets that the fault's bands have really got, by their own counters; never less than it was before.
  std::uint64_t shaped();
  SojournSamples sojourn() const;  // all devices together; empty where the kernel cannot measure
  void stop();
  Status revert();

 private:
  friend class NetShaper;
  struct Place {  // a band on one device
    std::uint32_t netns = 0;
    int ifindex = 0;
  };
  explicit ShapedTraffic(NetShaper& shaper) : shaper_(shaper) {}

  NetShaper& shaper_;
  std::shared_ptr<NetSteer> steer_;
  std::uint64_t cgroup_id_ = 0;
  int fault_ = -1;  // in steer_; -1: not in force
  std::uint32_t band_ = 0;
  Nanos patience_{};
  std::vector<Place> places_;
  std::map<std::uint32_t, NetlinkSocket>
      sockets_;  // of its own, by network namespace, for draining without a lock
  std::vector<int> meters_;
  std::uint64_t shaped_ = 0;
  SteerCounters last_;  // kept when the fault has left the steering program
};

// Owns every tree and steering program of the agent. Must outlive the traffic it shapes. Threads: any.
class NetShaper {
 public:
  static constexpr std::string_view kStickyKind = "net_tree";

  explicit NetShaper(StickyLog& log);
  ~NetShaper();

  // Asks the kernel once: loads the programs, builds a tree with netem in a network namespace of its own.
  Status supported();
  // One line a device: where the match leads to. Fails where shape() would.
  StatusOr<std::vector<std::string>> plan(const Target& target, const PacketMatch& match);
  StatusOr<std::unique_ptr<ShapedTraffic>> shape(const Target& target, const ShapeRequest& request);

  StatusOr<std::vector<StateItem>> snapshot(const Target& target);
  std::vector<std::string> owned(const Target& target);

  // Row of the undo table: removes a tree that an earlier agent left behind.
  static Status undo(const nlohmann::json& where);

 private:
  friend class ShapedTraffic;
  struct Tree {
    std::unique_ptr<NetTree> tree;
    std::uint64_t log_entry = 0;
  };
  struct Namespace {
    explicit Namespace(NetlinkSocket s) : socket(std::move(s)) {}
    NetlinkSocket socket;
    std::map<int, Tree> trees;  // by ifindex
  };

  StatusOr<Namespace*> namespace_of(const Netns& netns);
  StatusOr<std::uint32_t> free_band(const std::vector<ShapedTraffic::Place>& places) const;
  Status ensure_tree(const Netns& netns, Namespace& ns, const Device& device);
  std::shared_ptr<NetSteer> steer_of(const Target& target) const;  // null: none in force
  StatusOr<std::shared_ptr<NetSteer>> steer_for(const Target& target);
  void meter(ShapedTraffic& traffic);
  // All of these expect the lock to be held.
  Status put_in_place(ShapedTraffic& traffic, const Target& target, const ShapeRequest& request);
  Status take_away(ShapedTraffic& traffic);

  StickyLog& log_;
  std::mutex mutex_;
  std::optional<Status> supported_;
  std::unique_ptr<NetSojourn> sojourn_;            // null before supported(), and where the kernel cannot
  std::map<std::uint32_t, Namespace> namespaces_;  // by inode
  std::map<std::uint64_t, std::weak_ptr<NetSteer>> steers_;  // by cgroup id
};

}  // namespace faultline
