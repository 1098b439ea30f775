// What the egress steering program adds to each packet of the target, by BPF_PROG_TEST_RUN, over a program
// that does nothing. Needs root and cgroup v2; leaves nothing. Usage: packet_cost_bench FOLDER
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "agent/faults/exemptions.h"
#include "agent/kernel/net_steer.h"
#include "agent/target/cgroup.h"
#include "common/scope_exit.h"
#include "common/unique_fd.h"
#include "tests/bench/report.h"

namespace faultline::bench {
namespace {

constexpr int kRounds = 41;
constexpr int kRunsPerRound = 20'000;
constexpr unsigned char kTcp = 6;

using Packet = std::vector<unsigned char>;

template <typename T>
T need(StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(message_of(result.status()));
  return std::move(*result);
}

struct Rules {
  int count = 0;
  bool ipv6 = false;
  bool ports = false;  // half of the rules are port ranges
};

std::string peer(bool ipv6, int number) {
  return ipv6 ? fmt::format("fd99::1:{:x}", number) : fmt::format("10.99.1.{}", number);
}

// A TCP segment from the target to this peer, behind an Ethernet header.
Packet segment(bool ipv6, int peer_number, int port) {
  const std::size_t head = ipv6 ? 40 : 20;
  Packet p(14 + head + 20 + 100, 0);
  unsigned char* ip = p.data() + 14;
  const IpNetwork to = need(parse_ip_network(peer(ipv6, peer_number)));
  if (ipv6) {
    p[12] = 0x86, p[13] = 0xdd;
    ip[0] = 0x60, ip[6] = kTcp;
    std::memcpy(ip + 24, to.addr.data(), 16);
  } else {
    p[12] = 0x08;
    ip[0] = 0x45, ip[3] = static_cast<unsigned char>(p.size() - 14), ip[9] = kTcp;
    std::memcpy(ip + 16, to.addr.data(), 4);
  }
  ip[head + 2] = static_cast<unsigned char>(port >> 8);
  ip[head + 3] = static_cast<unsigned char>(port);
  return p;
}

// The rules spread over at most 16 faults. Peers have even numbers and ports are even, so that no two fall
// together.
std::vector<PacketMatch> matches(const Rules& rules) {
  const int faults = std::min(rules.ports ? (rules.count + 1) / 2 : rules.count, 16);
  std::vector<PacketMatch> list(static_cast<std::size_t>(faults));
  for (int i = 0; i < rules.count; ++i) {
    PacketMatch& match = list[static_cast<std::size_t>(i % faults)];
    if (rules.ports && (i / faults) % 2 == 0) {
      const auto port = static_cast<std::uint16_t>(8000 + 2 * i);
      match.ports.push_back({port, port});
      match.protocol = FL_NET_PROTO_TCP;
    } else {
      match.peers.push_back(need(parse_ip_network(peer(rules.ipv6, 2 + 2 * i))));
    }
  }
  return list;
}

// A target of its own, as the agent would aim at it.
class Target {
 public:
  Target(int cgroup_fd, const Rules& rules) : steer_(need(NetSteer::load())) {
    const Status aimed = steer_->aim(cgroup_fd, 1, 1, need(make_exemptions(usual_exemptions(), "")));
    if (!aimed.ok()) throw std::runtime_error(message_of(aimed));
    SteerRule rule;
    rule.hooks = hook_bit(FL_HOOK_EGRESS);
    rule.schedule.deadline_ns = static_cast<__u64>(ktime_ns(mono_now() + std::chrono::hours(1)));
    rule.selection.chance = 1ull << 32;
    rule.priority = 0xfa170002;
    if (rules.count == 0) {  // the program is attached, but the only fault is at another hook
      const int egress = need(steer_->add(rule));
      rule.hooks = hook_bit(FL_HOOK_INGRESS);
      need(steer_->add(rule));
      steer_->remove(egress);
    }
    for (PacketMatch& match : matches(rules)) {
      rule.match = std::move(match);
      need(steer_->add(rule));
    }
    program_.reset(bpf_prog_get_fd_by_id(steer_->attached_programs().at(0).id));
  }
  int program() const { return program_.get(); }

 private:
  std::unique_ptr<NetSteer> steer_;
  UniqueFd program_;
};

UniqueFd empty_program() {
  const bpf_insn code[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 1},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET_EGRESS);
  UniqueFd program(
      bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "fl_empty", "GPL", code, std::size(code), &options));
  if (!program.valid()) throw std::runtime_error("load the empty program");
  return program;
}

// By this thread's own processor time: others may use the machine, too.
double thread_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

double ns_per_packet(int program, const Packet& packet, std::uint32_t expected_priority) {
  __sk_buff before{}, after{};
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = packet.data();
  options.data_size_in = static_cast<__u32>(packet.size());
  options.ctx_in = &before;
  options.ctx_size_in = sizeof before;
  options.ctx_out = &after;
  options.ctx_size_out = sizeof after;
  options.repeat = kRunsPerRound;
  const double start = thread_ns();
  if (bpf_prog_test_run_opts(program, &options) != 0) throw std::runtime_error("BPF_PROG_TEST_RUN");
  const double end = thread_ns();
  if (after.priority != expected_priority) throw std::runtime_error("the packet did not meet what it should");
  return (end - start) / kRunsPerRound;
}

struct Case {
  std::string metric;
  int program;
  Packet packet;
  bool matches;
  Budget budget;
  Samples samples{};
};

int run(const std::string& folder) {
  const std::string cgroup = need(find_cgroup_root()) + "/fl-packet-cost";
  if (::mkdir(cgroup.c_str(), 0755) != 0 && errno != EEXIST) throw std::runtime_error("make a cgroup");
  const ScopeExit remove([&] { ::rmdir(cgroup.c_str()); });
  const UniqueFd cgroup_fd(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));

  const UniqueFd empty = empty_program();
  std::vector<std::unique_ptr<Target>> targets;
  std::vector<Case> cases;
  const auto target = [&](const Rules& rules) {
    targets.push_back(std::make_unique<Target>(cgroup_fd.get(), rules));
    return targets.back()->program();
  };
  const Budget nothing = more_at_most(15), much = more_at_most(100);
  cases.push_back({"no fault at this hook", target({}), segment(false, 2, 443), false, nothing});
  for (const bool ipv6 : {false, true}) {
    for (const int count : {1, 16, 64}) {
      const Rules by_peer{.count = count, .ipv6 = ipv6, .ports = false};
      const Rules by_port{.count = count, .ipv6 = ipv6, .ports = true};
      const std::string label = fmt::format("IPv{}, {:>2} rule{}", ipv6 ? 6 : 4, count, count > 1 ? "s" : "");
      const int peers = target(by_peer), ports = target(by_port);
      const int last = 2 + 2 * (count - 1);
      // With ports, the last fault's; with a single rule there is only a port.
      const int faults = std::min((count + 1) / 2, 16);
      const int port = 8000 + 2 * (faults - 1);
      cases.push_back({label + ", another peer", peers, segment(ipv6, last / 2 | 1, 443), false, nothing});
      cases.push_back({label + ", the peer", peers, segment(ipv6, last, 443), true, much});
      cases.push_back({label + ", another port", ports, segment(ipv6, last, port + 1), false, nothing});
      cases.push_back({label + ", peer and port", ports, segment(ipv6, last, port), true, much});
    }
  }
  Samples baseline;
  const Packet any = segment(false, 2, 443);
  for (int round = -2; round < kRounds; ++round) {  // two to warm up
    const double nothing_done = ns_per_packet(empty.get(), any, 0);
    if (round >= 0) baseline.push_back(nothing_done);
    for (Case& c : cases) {
      const double ns = ns_per_packet(c.program, c.packet, c.matches ? 0xfa170002 : 0);
      if (round >= 0) c.samples.push_back(ns);
    }
  }
  Report report("packet_cost", fmt::format("time per packet in the egress program, {} rounds of {} packets",
                                           kRounds, kRunsPerRound));
  for (const Case& c : cases) {
    report.add({c.metric, "ns", c.samples, "empty program", baseline, c.budget});
  }
  return report.finish(folder);
}

}  // namespace
}  // namespace faultline::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: packet_cost_bench FOLDER\n");
    return 2;
  }
  try {
    return faultline::bench::run(argv[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "packet_cost_bench: {}\n", error.what());
    return 1;
  }
}
