// The real agent, struck dead at points chosen by chance. After every one: the effect is gone within a
// second, the watchdog has removed what is sticky by itself (where it lives), and after the next agent's
// sweep the kernel's state is as it was and the journal is settled. That next agent is the one that is struck
// at the next point.
//
//   FAULTLINE_CRASH_SEED    of all chance; every run prints it
//   FAULTLINE_CRASH_POINTS  for each of the four phases, 25 by default; 50 make it 200 on each kernel
//   FAULTLINE_CRASH_WITHIN  milliseconds, 1000 by default: for a machine that has other things to do
#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>

#include "agent/kernel/cgroup_programs.h"
#include "agent/kernel/detour.h"
#include "agent/kernel/net_support.h"
#include "agent/kernel/netlink.h"
#include "agent/kernel/qdisc.h"
#include "common/clock.h"
#include "tests/support/agent_process.h"
#include "tests/support/fault_examples.h"
#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum class Phase { kApply, kActive, kRenew, kRevert };
enum class Strike { kKill, kKillWatchdogFirst, kKillWatchdogAfter, kStop };

constexpr const char* kPhaseNames[] = {"apply", "active", "renew", "revert"};
constexpr const char* kStrikeNames[] = {"kill", "kill_watchdog_first", "kill_watchdog_after", "stop"};
constexpr Nanos kLeaseOfStopped = milliseconds(1200);
constexpr Nanos kDeadlineSlack = milliseconds(50);

double to_ms(Nanos t) {
  return std::chrono::duration<double, std::milli>(t).count();
}

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* value = std::getenv(variable);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

std::uint64_t seed_of_this_run() {
  static const std::uint64_t seed = number_from("FAULTLINE_CRASH_SEED", std::random_device{}());
  return seed;
}

struct Point {
  std::string kind;
  Strike strike = Strike::kKill;
  double at = 0;    // share of what the call usually takes; of the active phase: of 20 ms
  Nanos between{};  // the two ends, agent's and watchdog's
};

// Milliseconds of every point, for the report.
struct Times {
  std::vector<double> all;
  void add(Nanos t) { all.push_back(to_ms(t)); }
  std::string text() {
    if (all.empty()) return "none";
    std::sort(all.begin(), all.end());
    return fmt::format("median {:.1f} max {:.1f} of {}", all[all.size() / 2], all.back(), all.size());
  }
};

class AgentCrash : public ::testing::TestWithParam<Phase> {
 protected:
  void SetUp() override {
    const Status supported = shared_support().band(NetemParams{});
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    const std::string host_end = "/run/netns/" + net.peer_netns();
    sockets.push_back(NetlinkSocket::open(netns_of_process(net.target().pid()).value()).value());
    sockets.push_back(
        NetlinkSocket::open({.fd = UniqueFd(::open(host_end.c_str(), O_RDONLY | O_CLOEXEC)), .inode = 0})
            .value());
    target = TargetResolver::make({}).value().resolve(net.target_ref()).value();
    clean = state();
    clean_programs = programs();
    clean_tc = net.network_state();
    start_agent();
    if (HasFatalFailure()) return;
    if (usual.empty()) measure_usual();  // the same for all phases
  }

  // What the calls usually take. An agent's first apply takes longer: it asks the kernel what that can do.
  void measure_usual() {
    const MonoTime before = mono_now();
    ASSERT_TRUE(apply("loss", seconds(30)).ok());
    first_more = mono_now() - before;
    ASSERT_TRUE(revert().ok());
    v1::CapabilitiesResponse capabilities;
    ASSERT_TRUE(agent->call(&v1::Agent::Stub::Capabilities, v1::CapabilitiesRequest{}, capabilities).ok());
    for (const auto& row : capabilities.kinds()) {
      const std::string& kind = row.kind();
      REQUIRE_SUPPORTED(row.supported(), kind + ": " + row.reason());
      ASSERT_TRUE(timed(kind, Phase::kApply, [&] { return apply(kind, seconds(30)); }).ok()) << kind;
      ASSERT_TRUE(timed(kind, Phase::kRenew, [&] { return renew(seconds(30)); }).ok()) << kind;
      ASSERT_TRUE(timed(kind, Phase::kRevert, [&] { return revert(); }).ok()) << kind;
      kinds.push_back(kind);
    }
    first_more = std::max(Nanos::zero(), first_more - usual.at({"loss", Phase::kApply}));
  }

  void start_agent() {
    agent.reset();
    agent.emplace(dir.path());
    const MonoTime give_up = mono_now() + seconds(10);
    while ((watchdog = agent->watchdog()) <= 0 && mono_now() < give_up)
      std::this_thread::sleep_for(milliseconds(1));
    ASSERT_GT(watchdog, 0);
  }

  grpc::Status apply(const std::string& kind, Nanos lease) {
    v1::ApplyRequest request;
    request.set_id("f");
    request.set_target(net.target_ref());
    *request.mutable_spec() = fault_examples().at(kind).spec;
    *request.mutable_duration() = duration(seconds(60));
    *request.mutable_lease() = duration(lease);
    v1::ApplyResponse response;
    return agent->call_now(&v1::Agent::Stub::Apply, request, response);
  }
  grpc::Status renew(Nanos lease) {
    v1::RenewRequest request;
    request.add_ids("f");
    *request.mutable_lease() = duration(lease);
    v1::RenewResponse response;
    return agent->call_now(&v1::Agent::Stub::Renew, request, response);
  }
  grpc::Status revert() {
    v1::RevertRequest request;
    request.add_ids("f");
    v1::RevertResponse response;
    return agent->call_now(&v1::Agent::Stub::Revert, request, response);
  }
  template <typename Call>
  grpc::Status timed(const std::string& kind, Phase phase, Call call) {
    const MonoTime before = mono_now();
    const grpc::Status status = call();
    if (status.ok()) usual[{kind, phase}] = mono_now() - before;
    return status;
  }

  // Every detour, and every qdisc that somebody made, in the target's namespace and at the host's end of its
  // veth, and every program on its cgroup.
  std::vector<std::string> state() {
    std::vector<std::string> lines;
    for (NetlinkSocket& socket : sockets) {
      const auto detours = list_detours(socket);
      if (!detours.ok()) return {message_of(detours.status())};
      for (const DetourPlace& detour : *detours) lines.push_back(fmt::format("around {}", detour.device));
      const auto qdiscs = list_qdiscs(socket);
      if (!qdiscs.ok()) return {message_of(qdiscs.status())};
      for (const Qdisc& q : *qdiscs) {
        if (q.handle != 0)
          lines.push_back(fmt::format("{} {} {:x} {:x}", q.ifindex, q.kind, q.handle, q.parent));
      }
    }
    for (std::string& program : programs()) lines.push_back(std::move(program));
    return lines;
  }
  std::vector<std::string> programs() {
    using enum CgroupHook;
    const auto attached = cgroup_programs(
        target.cgroup_fd.get(), {kEgress, kIngress, kConnect4, kConnect6, kSendmsg4, kSendmsg6, kRecvmsg4,
                                 kRecvmsg6, kGetpeername4, kGetpeername6});
    if (!attached.ok()) return {message_of(attached.status())};
    std::vector<std::string> lines;
    for (const CgroupProgram& program : *attached) lines.push_back(to_string(program));
    return lines;
  }
  std::set<std::uint64_t> unsettled() const {
    std::set<std::uint64_t> entries;
    std::ifstream file(dir.path() + "/state/journal.jsonl");
    for (std::string line; std::getline(file, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, false);
      if (!json.is_object() || !json.contains("entry")) continue;
      if (json["op"] == "intend") entries.insert(json["entry"].get<std::uint64_t>());
      if (json["op"] == "settle") entries.erase(json["entry"].get<std::uint64_t>());
    }
    return entries;
  }

  Point choose(std::uint64_t number) const;
  void play(Phase phase, const Point& point);
  void strike(const Point& point);
  void watch_the_end(const Point& point);
  bool expect_gone(const Point& point, Nanos within);

  NetLab& net = shared_net_lab();
  TempDir dir;
  std::vector<NetlinkSocket> sockets;
  Target target;
  std::vector<std::string> clean, clean_programs;
  std::string clean_tc;
  std::optional<AgentProcess> agent;
  pid_t watchdog = -1;
  inline static std::vector<std::string> kinds;
  inline static std::map<std::pair<std::string, Phase>, Nanos> usual;
  inline static Nanos first_more{};
  MonoTime struck;
  Times effect_gone, state_clean;
  struct End {  // since the strike; max: never seen
    Nanos effect = Nanos::max(), state = Nanos::max();
  };
  std::future<End> the_end;
  std::future<grpc::Status> under_way;  // under way when the agent is struck
  int calls_cut = 0;
};

Point AgentCrash::choose(std::uint64_t number) const {
  std::mt19937_64 random(seed_of_this_run() * 4 + static_cast<std::uint64_t>(GetParam()));
  random.discard(number * 16);
  const auto share = [&] { return std::uniform_real_distribution<double>(0, 1)(random); };
  Point point{
      .kind = kinds[number % kinds.size()], .strike = Strike::kKill, .at = share() * 1.1, .between = {}};
  point.between = Nanos(static_cast<std::int64_t>(share() * 3e6));
  const double which = share();
  if (which < 0.10) point.strike = Strike::kKillWatchdogFirst;
  if (which >= 0.10 && which < 0.20) point.strike = Strike::kKillWatchdogAfter;
  if (which >= 0.20 && which < 0.28) point.strike = Strike::kStop;
  return point;
}

// Brings the agent to the point, and strikes.
void AgentCrash::play(Phase phase, const Point& point) {
  const Nanos lease = point.strike == Strike::kStop ? kLeaseOfStopped : Nanos(seconds(30));
  const FaultExample& example = fault_examples().at(point.kind);
  if (phase != Phase::kApply) {
    const grpc::Status applied = timed(point.kind, Phase::kApply, [&] { return apply(point.kind, lease); });
    ASSERT_TRUE(applied.ok()) << applied.error_message();
  }
  Nanos span = milliseconds(20);
  if (phase == Phase::kActive) {
    if (point.strike != Strike::kStop) {
      EXPECT_TRUE(example.bites(net.target(), kPeer));
    }
  } else {
    span = usual.at({point.kind, phase}) + (phase == Phase::kApply ? first_more : Nanos::zero());
    under_way = std::async(std::launch::async, [this, phase, kind = point.kind, lease] {
      return phase == Phase::kApply ? apply(kind, lease) : phase == Phase::kRenew ? renew(lease) : revert();
    });
  }
  std::this_thread::sleep_for(span * point.at);
  strike(point);
  if (point.strike == Strike::kStop) {
    // Frozen, the agent can move no deadline: the last one it can have set is a lease from here.
    std::this_thread::sleep_until(struck + lease + kDeadlineSlack);
    EXPECT_FALSE(example.bites(net.target(), kPeer)) << "past the deadline";
    struck = mono_now();
    agent->signal(SIGKILL);  // still frozen: it does nothing more
  }
  watch_the_end(point);
  agent->stop(SIGKILL);
}

void AgentCrash::strike(const Point& point) {
  const auto pause = [&] { std::this_thread::sleep_for(point.between); };
  struck = mono_now();
  switch (point.strike) {
    case Strike::kStop:
      agent->signal(SIGSTOP);
      return;
    case Strike::kKillWatchdogFirst:
      ::kill(watchdog, SIGKILL);
      pause();
      struck = mono_now();
      agent->signal(SIGKILL);
      return;
    case Strike::kKillWatchdogAfter:
      agent->signal(SIGKILL);
      pause();
      ::kill(watchdog, SIGKILL);
      return;
    case Strike::kKill:
      agent->signal(SIGKILL);
      return;
  }
}

// Looks from the strike on, while the agent still dies: when its programs are off the target's cgroup, and
// when the state is as it was.
void AgentCrash::watch_the_end(const Point& point) {
  const bool alone = point.strike == Strike::kKillWatchdogFirst || point.strike == Strike::kKillWatchdogAfter;
  the_end = std::async(std::launch::async, [this, alone, since = struck] {
    End end;
    while (mono_now() - since < seconds(5)) {
      if (end.effect == Nanos::max() && programs() == clean_programs) end.effect = mono_now() - since;
      if (end.effect != Nanos::max() && (alone || state() == clean)) {
        end.state = mono_now() - since;
        break;
      }
      std::this_thread::sleep_for(milliseconds(1));
    }
    return end;
  });
}

bool AgentCrash::expect_gone(const Point& point, Nanos within) {
  const bool bites = fault_examples().at(point.kind).bites(net.target(), kPeer);
  const End end = the_end.get();
  EXPECT_FALSE(bites) << "the agent is dead, and the fault still bites";
  EXPECT_LT(to_ms(end.effect), to_ms(within));
  EXPECT_LT(to_ms(end.state), 5000) << "the watchdog left something";
  effect_gone.add(end.effect);
  state_clean.add(end.state);
  std::cout << fmt::format("  effect gone after {:.0f} ms, state clean after {:.0f} ms", to_ms(end.effect),
                           to_ms(end.state))
            << std::endl;
  return !bites && end.effect < within && end.state != Nanos::max();
}

TEST_P(AgentCrash, LeavesNothing) {
  const std::uint64_t points = number_from("FAULTLINE_CRASH_POINTS", 25);
  const milliseconds within(number_from("FAULTLINE_CRASH_WITHIN", 1000));
  std::cout << "FAULTLINE_CRASH_SEED=" << seed_of_this_run() << std::endl;
  std::uint64_t held = 0;
  for (std::uint64_t number = 0; number < points; ++number) {
    const Point point = choose(number);
    const std::string text = fmt::format("point {} of {} seed {}: {} {} at {:.3f} pause {} us", number,
                                         kPhaseNames[static_cast<int>(GetParam())], seed_of_this_run(),
                                         point.kind, kStrikeNames[static_cast<int>(point.strike)], point.at,
                                         point.between / std::chrono::microseconds(1));
    std::cout << text << std::endl;
    SCOPED_TRACE(text);
    play(GetParam(), point);
    if (HasFatalFailure()) return;
    const bool gone = expect_gone(point, within);
    if (under_way.valid()) calls_cut += !under_way.get().ok();
    start_agent();  // sweeps
    if (HasFatalFailure()) return;
    EXPECT_EQ(state(), clean);
    EXPECT_TRUE(unsettled().empty());
    if (number % 10 == 9) {
      EXPECT_EQ(net.network_state(), clean_tc);
    }
    held += gone && state() == clean && unsettled().empty();
    if (state() != clean) break;  // what comes after would only be its echo
  }
  EXPECT_EQ(held, points);
  RecordProperty("seed", std::to_string(seed_of_this_run()));
  RecordProperty("points_held", std::to_string(held));
  RecordProperty("calls_cut_short", std::to_string(calls_cut));
  RecordProperty("effect_gone_ms", effect_gone.text());
  RecordProperty("state_clean_ms", state_clean.text());
  std::cout << fmt::format(
                   "{} of {} points held, {} calls cut short; effect gone after ms: {}; state clean: {}",
                   held, points, calls_cut, effect_gone.text(), state_clean.text())
            << std::endl;
}

INSTANTIATE_TEST_SUITE_P(During, AgentCrash,
                         ::testing::Values(Phase::kApply, Phase::kActive, Phase::kRenew, Phase::kRevert),
                         [](const auto& instance) { return kPhaseNames[static_cast<int>(instance.param)]; });

}  // namespace
}  // namespace faultline::testing
