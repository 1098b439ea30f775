// How soon a fault acts after the call, and how soon it is over after its revert, against nsenter with tc and
// iptables doing the same: both told by probes from the target to the peer. Delays what leaves, or, with
// "reject", refuses it, which needs no qdiscs. Needs root, and netem for a delay: on kernels without it, run
// it in the test VM. Leaves nothing. Usage: apply_latency_bench delay|reject FOLDER [ROUNDS]
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

#include "common/clock.h"
#include "tests/bench/report.h"
#include "tests/support/agent_process.h"
#include "tests/support/fault_lab.h"
#include "tests/support/temp_dir.h"

namespace faultline::bench {
namespace {

using std::chrono::milliseconds;
using testing::AgentProcess;
using testing::NetLab;
using testing::UdpResult;

constexpr int kColdRounds = 5;
constexpr milliseconds kLatency(200);
constexpr milliseconds kLongestPrompt(100);  // what comes back sooner has not met the delay
constexpr milliseconds kHold(400);           // in force: above the latency, so that delayed probes come back
constexpr int kInARow = 3;                   // probes must agree, so that a late or lost one decides nothing

double ms_between(MonoTime from, MonoTime to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// One way to apply and revert; each returns when it says that it is done.
struct Actor {
  std::function<void()> apply;
  std::function<void()> revert;
};

struct Round {
  double effect = 0, apply = 0;  // ms from the call to the first probe that met the delay, and to the answer
  double no_effect = 0, revert = 0;  // the same for the revert and the first probe that did not meet it
  double lost = 0;                   // probes
  double gap = 0, worst_gap = 0;     // ms between probes: what effect and no_effect are true to
};

struct Probe {
  MonoTime sent;
  std::optional<double> rtt_ms;  // nullopt: no echo
};

// What is done to the packets to the peer.
struct Effect {
  std::string name, about;
  v1::FaultSpec spec;
  // Whether this probe met it; nullopt: it tells nothing.
  std::optional<bool> (*met)(const Probe& probe);
  std::vector<std::string> commands, undo;  // of other tools, in the target's network namespace
};

// --- what the probes say

std::vector<Probe> probes_of(const UdpResult& result) {
  std::vector<Probe> probes;
  std::size_t answer = 0;
  for (std::size_t i = 0; i < result.sent; ++i) {
    probes.push_back({.sent = MonoTime(Nanos(result.sent_ns[i])), .rtt_ms = std::nullopt});
    if (result.answered[i]) probes.back().rtt_ms = result.rtt_ms[answer++];
  }
  return probes;
}

// The first probe sent since then that met the fault (or did not), like the next ones.
MonoTime first(const UdpResult& probes, const Effect& effect, bool met, MonoTime since) {
  std::optional<MonoTime> found;
  int in_a_row = 0;
  for (const Probe& probe : probes_of(probes)) {
    const std::optional<bool> did = effect.met(probe);
    if (probe.sent < since || !did) continue;
    if (*did != met) in_a_row = 0;
    if (*did == met && in_a_row++ == 0) found = probe.sent;
    if (in_a_row == kInARow) return *found;
  }
  throw std::runtime_error(met ? "the fault was never seen" : "the fault was never over");
}

void add_gaps(const UdpResult& probes, Round& round) {
  Samples gaps;
  for (std::size_t i = 1; i < probes.sent; ++i) {
    gaps.push_back(static_cast<double>(probes.sent_ns[i] - probes.sent_ns[i - 1]) / 1e6);
  }
  round.worst_gap = quantile(gaps, 0.99);
  round.gap = median(std::move(gaps));
}

// As often as the machine can without being busy with it: an emulated one is slow.
int probe_interval_us(NetLab& net) {
  const double rtt_ms = NetLab::udp(net.target(), testing::kPeer, testing::kPort, 50, 5000).median_ms();
  return std::clamp(static_cast<int>(3000 * rtt_ms), 250, 2000);
}

Round play(NetLab& net, const Effect& effect, const Actor& actor) {
  static const int interval_us = probe_interval_us(net);
  NetLab::start_probes(net.target(), testing::kPeer, testing::kPort, interval_us, 2 * kLatency.count());
  std::this_thread::sleep_for(milliseconds(100));
  const MonoTime call = mono_now();
  actor.apply();
  const MonoTime applied = mono_now();
  std::this_thread::sleep_for(kHold);
  const MonoTime recall = mono_now();
  actor.revert();
  const MonoTime reverted = mono_now();
  std::this_thread::sleep_for(milliseconds(100));
  const UdpResult probes = NetLab::end_probes(net.target());

  Round round{.effect = ms_between(call, first(probes, effect, true, call)),
              .apply = ms_between(call, applied),
              .no_effect = ms_between(recall, first(probes, effect, false, recall)),
              .revert = ms_between(recall, reverted),
              .lost = static_cast<double>(probes.sent - probes.rtt_ms.size())};
  add_gaps(probes, round);
  return round;
}

// --- who does it

Actor agent_actor(AgentProcess& agent, const NetLab& net, const v1::FaultSpec& spec) {
  const auto check = [](const grpc::Status& status) {
    if (!status.ok()) throw std::runtime_error(status.error_message());
  };
  v1::ApplyRequest apply;
  apply.set_id("bench");
  apply.set_target(net.target_ref());
  *apply.mutable_spec() = spec;
  *apply.mutable_duration() = testing::duration(std::chrono::seconds(60));
  return {.apply =
              [&agent, apply, check] {
                v1::ApplyResponse response;
                check(agent.call(&v1::Agent::Stub::Apply, apply, response));
              },
          .revert =
              [&agent, check] {
                v1::RevertRequest revert;
                revert.add_ids("bench");
                v1::RevertResponse response;
                check(agent.call(&v1::Agent::Stub::Revert, revert, response));
              }};
}

int run_program(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  int status = -1;
  if (::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return -1;
  return ::waitpid(pid, &status, 0) == pid ? status : -1;
}

// One program after the other, each by nsenter, as other tools have it.
Actor nsenter_actor(NetLab& net, const Effect& effect) {
  const auto all = [netns = fmt::format("--net=/proc/{}/ns/net", net.target().pid())](const auto& commands) {
    for (const std::string& command : commands) {
      std::vector<std::string> words{"nsenter", netns};
      std::istringstream rest(command);
      for (std::string word; rest >> word;) words.push_back(word);
      if (run_program(words) != 0) throw std::runtime_error(command + " failed");
    }
  };
  return {.apply = [all, commands = effect.commands] { all(commands); },
          .revert = [all, commands = effect.undo] { all(commands); }};
}

// In as few programs as it takes: with ipset, as some have it, it would be slower.
Effect delay() {
  const std::string rule = fmt::format("POSTROUTING -d {} -j CLASSIFY --set-class 1:4", testing::kPeer);
  return {.name = "delay",
          .about = fmt::format("a delay of {} ms", kLatency.count()),
          .spec = testing::delay_spec(kLatency),
          .met = [](const Probe& probe) -> std::optional<bool> {
            if (!probe.rtt_ms) return std::nullopt;  // exchanging qdiscs loses some
            return *probe.rtt_ms > static_cast<double>(kLongestPrompt.count());
          },
          .commands = {"tc qdisc add dev eth0 root handle 1: prio bands 4",
                       fmt::format("tc qdisc add dev eth0 parent 1:4 handle 40: netem delay {}ms",
                                   kLatency.count()),
                       "iptables -w -t mangle -A " + rule},
          .undo = {"iptables -w -t mangle -D " + rule, "tc qdisc del dev eth0 root"}};
}

Effect reject() {
  const std::string rule = fmt::format("OUTPUT -d {} -j REJECT", testing::kPeer);
  v1::FaultSpec spec;
  spec.mutable_reject()->mutable_traffic()->add_peers(testing::kPeer);
  return {.name = "reject",
          .about = "packets refused",
          .spec = spec,
          .met = [](const Probe& probe) -> std::optional<bool> { return !probe.rtt_ms; },
          .commands = {"iptables -w -A " + rule},
          .undo = {"iptables -w -D " + rule}};
}

// Returns once the agent does nothing but wait: what it prepares for the next apply must not slow others
// down.
void settle(const AgentProcess& agent) {
  const auto ticks = [&] {
    std::ifstream file(fmt::format("/proc/{}/stat", agent.pid()));
    std::string skip;
    for (int i = 0; i < 13; ++i) file >> skip;  // the name has no blank
    double user = 0, system = 0;
    file >> user >> system;
    return user + system;
  };
  const double busy = static_cast<double>(::sysconf(_SC_CLK_TCK)) / 10;  // 10 % of a processor
  for (int i = 0; i < 40; ++i) {
    const double before = ticks();
    std::this_thread::sleep_for(milliseconds(500));
    if (ticks() - before < busy / 2) return;
  }
  throw std::runtime_error("the agent never rests");
}

// --- the whole

Samples samples(const std::vector<Round>& rounds, double Round::*member) {
  Samples list;
  for (const Round& round : rounds) list.push_back(round.*member);
  return list;
}

struct Contest {
  std::vector<Round> ours{}, theirs{};
};

int run(const Effect& effect, const std::string& folder, int rounds) {
  NetLab& net = testing::shared_net_lab();
  const Actor other = nsenter_actor(net, effect);
  play(net, effect, other);  // loads the kernel's modules and the programs' files, for both

  Contest at_once, rested, warm;
  for (int i = 0; i < kColdRounds; ++i) {
    for (Contest* first : {&at_once, &rested}) {
      testing::TempDir state;
      AgentProcess agent(state.path(), {"--log-level", "warn"});
      if (first == &rested) settle(agent);
      first->ours.push_back(play(net, effect, agent_actor(agent, net, effect.spec)));
      agent.stop(SIGTERM);
      first->theirs.push_back(play(net, effect, other));
    }
  }
  testing::TempDir state;
  AgentProcess agent(state.path(), {"--log-level", "warn"});
  const Actor ours = agent_actor(agent, net, effect.spec);
  play(net, effect, ours);
  for (int i = 0; i < rounds; ++i) {
    settle(agent);
    warm.ours.push_back(play(net, effect, ours));
    settle(agent);
    warm.theirs.push_back(play(net, effect, other));
  }

  std::vector<Round> all = warm.ours;
  all.insert(all.end(), warm.theirs.begin(), warm.theirs.end());
  const bool shapes = effect.commands.size() > 1;
  Report report(
      "apply_latency_" + effect.name,
      fmt::format("{} on the way to one peer, by the agent over its socket and by other tools; {} rounds",
                  effect.about, rounds));
  const std::string peer = shapes ? "nsenter: tc, tc, iptables" : "nsenter: iptables";
  const auto add = [&](const std::string& metric, const Contest& contest, double Round::*member,
                       Budget budget = {}) {
    report.add({metric, "ms", samples(contest.ours, member), peer, samples(contest.theirs, member), budget});
  };
  add("apply, until a probe met it", warm, &Round::effect, ratio_at_most(0.05));
  add("apply, until the answer", warm, &Round::apply);
  add("revert, until a probe did not", warm, &Round::no_effect);
  add(shapes ? "revert, until the answer*" : "revert, until the answer", warm, &Round::revert);
  add("an agent's first, until a probe met it", rested, &Round::effect);
  add("the same 0.1 s after the agent's start", at_once, &Round::effect);
  report.add({"between two probes", "ms", samples(all, &Round::gap), "", {}, {}});
  report.add({"between two probes, 99 of 100", "ms", samples(all, &Round::worst_gap), "", {}, {}});
  report.note(fmt::format("an agent's first: {} agents each, once they have prepared themselves, and before",
                          kColdRounds));
  if (shapes) {
    report.note(fmt::format(
        "* the agent lets the packets go first that wait, here {} ms; others drop them. Probes lost"
        " in a round: {:.1f}, theirs {:.1f}",
        kLatency.count(), median(samples(warm.ours, &Round::lost)),
        median(samples(warm.theirs, &Round::lost))));
  }
  return report.finish(folder);
}

}  // namespace
}  // namespace faultline::bench

int main(int argc, char** argv) {
  using namespace faultline::bench;
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (argc < 3 || argc > 4 || (what != "delay" && what != "reject")) {
    fmt::print(stderr, "usage: apply_latency_bench delay|reject FOLDER [ROUNDS]\n");
    return 2;
  }
  try {
    return run(what == "delay" ? delay() : reject(), argv[2], argc > 3 ? std::stoi(argv[3]) : 25);
  } catch (const std::exception& error) {
    fmt::print(stderr, "apply_latency_bench: {}\n", error.what());
    return 1;
  }
}
