// What every fault of a target's traffic is made of: BPF decides which packets and connection attempts meet
// it, and they are shaped by a qdisc, dropped, refused, or made to fail. Kinds of fault say what to match and
// what to do; this class does it.
//
// Auto: the steering programs (one set a target), and the rules and links that lead packets to trees. Sticky,
// and inert without them: the qdisc trees at the devices that lead to the peers and, for what arrives, at the
// host end of the target's veths, with the veth pairs that they stand on; one band a fault. Minimum
// kernel: 6.1 with BTF, cgroup v2, sch_prio and the qdisc of the band.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "agent/faults/net_filter.h"
#include "agent/faults/net_trees.h"
#include "agent/faults/selection.h"
#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/net_sojourn.h"
#include "agent/kernel/net_steer.h"
#include "agent/kernel/net_support.h"
#include "agent/target/peer_lookup.h"
#include "agent/target/target.h"
#include "common/clock.h"

namespace faultline {

struct Drop {};       // silently, in either direction
struct Refuse {};     // the sender's call fails with EPERM; egress only
struct FailConnect {  // egress only
  int error = 0;
};
using TrafficAction = std::variant<BandParams, Drop, Refuse, FailConnect>;

struct TrafficRequest {
  TrafficFilter filter;
  TrafficAction action;
  fl_selection selection = to_selection({});  // all
  std::uint64_t seed = 0;
  std::int32_t precedence = 0;
  fl_schedule schedule{};
};

// What a filter matches just now. Fails when a name or target cannot be looked up.
StatusOr<PacketMatch> look_up(const TrafficFilter& filter, const PeerLookup& lookup, const Target& target,
                              const std::stop_token& stop);

class NetTraffic;

// One such fault in force; reverts when destroyed.
class TrafficFault {
 public:
  ~TrafficFault();
  TrafficFault(const TrafficFault&) = delete;
  TrafficFault& operator=(const TrafficFault&) = delete;

  void set_deadline(MonoTime deadline);
  // Of injected, only what its band has really got counts, by the band's own counters; never less than
  // before.
  SteerCounters counters();
  // Not OK when all its bands have gone: with their devices, or by somebody's hand.
  Status standing();
  SojournSamples sojourn() const;  // all devices together; empty where the kernel cannot measure
  void stop();
  Status revert();

 private:
  friend class NetTraffic;
  // A part of the fault: what it does at one hook.
  struct Part {
    fl_net_hook hook{};
    int fault = -1;                 // in steer_; -1: not in force
    std::vector<TreePlace> places;  // of its band
    std::vector<TreePlace> doors;   // of these, where it has opened one
    std::uint64_t shaped = 0;       // packets that the band was last seen to have got
    SteerCounters last;             // kept when the fault has left the steering programs
  };
  explicit TrafficFault(NetTraffic& traffic) : traffic_(traffic) {}
  void follow_peers(const std::stop_token& stop, const TrafficFilter& filter, const PeerLookup& lookup);

  NetTraffic& traffic_;
  Target target_;  // kept for looking its peers up again, and for its cgroup's descriptor
  std::shared_ptr<NetSteer> steer_;
  std::vector<Part> parts_;
  std::uint32_t band_ = 0;
  Nanos patience_{};
  std::map<TreePlace, int> nsids_;                  // of the target, seen from the places of FL_HOOK_SHAPE
  std::map<std::uint32_t, NetlinkSocket> sockets_;  // of its own, by namespace, for draining without a lock
  std::vector<int> meters_;
  std::jthread follower_;  // only with peers that may change
};

// Owns every tree and steering program of the agent. Must outlive its faults. Threads: any.
class NetTraffic {
 public:
  // All references must outlive it.
  NetTraffic(StickyLog& log, NetSupport& kernel, const PeerLookup& lookup, std::vector<Exemption> exemptions);
  ~NetTraffic();

  // Asks the kernel once for each kind of action: loads the programs, builds a tree with such a band in a
  // network namespace of its own.
  Status supported(const TrafficAction& action);
  // What such an action cannot do here, or costs, a line each; of what is supported.
  std::vector<std::string> limits(const TrafficAction& action);
  // One line a step. Fails where start() would.
  StatusOr<std::vector<std::string>> plan(const Target& target, const TrafficRequest& request);
  StatusOr<std::unique_ptr<TrafficFault>> start(const Target& target, const TrafficRequest& request);

  StatusOr<std::vector<StateItem>> snapshot(const Target& target);
  std::vector<std::string> owned(const Target& target);

 private:
  friend class TrafficFault;
  struct Steering {
    std::weak_ptr<NetSteer> programs;
    std::uint32_t id = 0;  // names its filters
    struct Door {
      int users = 0;  // parts
      UniqueFd link;  // of the program there; none where a filter of the tree has its place
    };
    std::map<TreePlace, Door> doors;
  };

  std::shared_ptr<NetSteer> steer_of(const Target& target) const;  // null: none in force
  StatusOr<std::shared_ptr<NetSteer>> steer_for(const Target& target);
  SteerRule rule_of(const TrafficRequest& request, const PacketMatch& match, fl_net_hook hook,
                    std::uint32_t band) const;
  Stand stand_for(bool ingress);
  void meter(TrafficFault& fault);
  // All of these expect the lock to be held.
  Status put_in_place(TrafficFault& fault, const TrafficRequest& request, const PacketMatch& match);
  Status place_bands(TrafficFault& fault, const TrafficRequest& request, const PacketMatch& match);
  Status open_doors(TrafficFault& fault, TrafficFault::Part& part);
  Status close_door(TrafficFault& fault, const TreePlace& place);
  Status take_away(TrafficFault& fault);

  NetSupport& kernel_;
  const PeerLookup& lookup_;
  const std::vector<Exemption> exemptions_;
  std::mutex mutex_;
  NetTrees trees_;
  // At which host ends of their veths targets have had trees, by cgroup id: what is looked at for residue.
  std::map<std::uint64_t, std::set<std::pair<std::uint32_t, int>>> outside_;  // namespace's inode, ifindex
  std::map<std::uint32_t, Netns> outside_netns_;                              // of those, by inode
  std::map<std::uint64_t, Steering> steerings_;                               // by cgroup id
  std::uint32_t next_id_ = 1;
};

}  // namespace faultline
