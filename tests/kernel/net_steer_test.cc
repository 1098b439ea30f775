// The steering programs on their own: packet in, priority or verdict out, through BPF_PROG_TEST_RUN.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <vector>

#include "agent/kernel/net_steer.h"
#include "agent/target/cgroup.h"
#include "common/unique_fd.h"
#include "tests/support/net_lab.h"

namespace faultline::testing {
namespace {

constexpr std::uint32_t kBand = 0xfa170002;
constexpr unsigned char kTcp = 6, kUdp = 17, kIcmp = 1, kIcmp6 = 58;

using Packet = std::vector<unsigned char>;

// Ethernet header first: the test run takes it off, as the kernel does before cgroup programs.
Packet ipv4(unsigned char protocol, unsigned char last_octet, int dport, int fragment_offset = 0,
            int option_words = 0) {
  Packet p(14 + 20 + static_cast<std::size_t>(option_words) * 4 + 20, 0);
  p[12] = 0x08;
  unsigned char* ip = p.data() + 14;
  ip[0] = static_cast<unsigned char>(0x45 + option_words);
  ip[3] = static_cast<unsigned char>(p.size() - 14);
  ip[6] = static_cast<unsigned char>(fragment_offset >> 8);
  ip[7] = static_cast<unsigned char>(fragment_offset);
  ip[9] = protocol;
  ip[16] = 10, ip[17] = 99, ip[18] = 0, ip[19] = last_octet;
  unsigned char* transport = ip + 20 + option_words * 4;
  transport[2] = static_cast<unsigned char>(dport >> 8);
  transport[3] = static_cast<unsigned char>(dport);
  return p;
}

// With `extensions` destination-options headers before the transport header.
Packet ipv6(unsigned char protocol, unsigned char last, int dport, int extensions = 0) {
  Packet p(14 + 40 + static_cast<std::size_t>(extensions) * 8 + 20, 0);
  p[12] = 0x86, p[13] = 0xdd;
  unsigned char* ip = p.data() + 14;
  ip[0] = 0x60;
  ip[6] = extensions > 0 ? 60 : protocol;
  ip[24] = 0xfd, ip[25] = 0x99, ip[39] = last;
  unsigned char* next = ip + 40;
  for (int i = 0; i < extensions; ++i, next += 8) next[0] = i + 1 < extensions ? 60 : protocol;
  next[2] = static_cast<unsigned char>(dport >> 8);
  next[3] = static_cast<unsigned char>(dport);
  return p;
}

PacketMatch match(const char* peer, fl_net_protocol protocol = FL_NET_PROTO_ANY,
                  std::vector<PortSpan> ports = {}) {
  PacketMatch m;
  m.ports = std::move(ports);
  m.protocol = protocol;
  if (*peer) m.peers.push_back(parse_ip_network(peer).value());
  return m;
}

class NetSteerProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = find_cgroup_root().value() + "/fl-steer-test";
    shell("mkdir -p " + directory_);
    cgroup_.reset(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto loaded = NetSteer::load();
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    steer_ = std::move(*loaded);
    ASSERT_TRUE(steer_->aim(cgroup_.get(), 1, 1, exemptions()).ok());
  }
  void TearDown() override {
    steer_.reset();
    cgroup_.reset();
    shell("rmdir " + directory_);
  }

  virtual std::vector<Exemption> exemptions() const { return {}; }

  // Where the packet goes: -1 when it is refused.
  std::int64_t priority_of(const Packet& packet) {
    if (!program_.valid()) program_.reset(bpf_prog_get_fd_by_id(steer_->attached_programs().at(0).id));
    __sk_buff context{};
    __sk_buff after{};
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = packet.data();
    options.data_size_in = static_cast<__u32>(packet.size());
    options.ctx_in = &context;
    options.ctx_size_in = sizeof context;
    options.ctx_out = &after;
    options.ctx_size_out = sizeof after;
    EXPECT_EQ(bpf_prog_test_run_opts(program_.get(), &options), 0);
    return options.retval == 0 ? -1 : std::int64_t{after.priority};
  }
  bool steered(const Packet& packet) { return priority_of(packet) == kBand; }

  SteerRule rule(const PacketMatch& m) const {
    SteerRule rule;
    rule.match = m;
    rule.hooks = hook_bit(FL_HOOK_EGRESS);
    rule.schedule.deadline_ns = static_cast<__u64>(ktime_ns(mono_now() + std::chrono::hours(1)));
    rule.selection.chance = 1ull << 32;
    rule.seed = 1;
    rule.priority = kBand;
    return rule;
  }
  int add(const PacketMatch& m) { return steer_->add(rule(m)).value(); }
  // Which of so many equal packets are steered.
  std::string pattern(int packets) {
    std::string hits;
    for (int i = 0; i < packets; ++i) hits += steered(ipv4(kTcp, 2, 1)) ? 'x' : '.';
    return hits;
  }

  UniqueFd cgroup_, program_;
  std::string directory_;
  std::unique_ptr<NetSteer> steer_;
};

TEST_F(NetSteerProgram, MatchesAddressProtocolAndPort) {
  add(match("10.99.0.2", FL_NET_PROTO_TCP, {{9000, 9010}}));
  EXPECT_TRUE(steered(ipv4(kTcp, 2, 9000)));
  EXPECT_TRUE(steered(ipv4(kTcp, 2, 9010)));
  EXPECT_FALSE(steered(ipv4(kTcp, 2, 8999)));
  EXPECT_FALSE(steered(ipv4(kTcp, 2, 9011)));
  EXPECT_FALSE(steered(ipv4(kUdp, 2, 9000)));
  EXPECT_FALSE(steered(ipv4(kTcp, 3, 9000)));
  EXPECT_FALSE(steered(ipv6(kTcp, 2, 9000)));
}

TEST_F(NetSteerProgram, FindsThePortBehindIpv4OptionsAndIpv6Extensions) {
  add(match("", FL_NET_PROTO_TCP, {{443, 443}}));
  EXPECT_TRUE(steered(ipv4(kTcp, 2, 443, 0, 5)));
  EXPECT_TRUE(steered(ipv6(kTcp, 2, 443)));
  EXPECT_TRUE(steered(ipv6(kTcp, 2, 443, 1)));
  EXPECT_TRUE(steered(ipv6(kTcp, 2, 443, 3)));
  EXPECT_FALSE(steered(ipv6(kTcp, 2, 444, 3)));
}

TEST_F(NetSteerProgram, LaterFragmentsHaveNoPort) {
  add(match("", FL_NET_PROTO_UDP, {{53, 53}}));
  EXPECT_TRUE(steered(ipv4(kUdp, 2, 53, 0x2000)));  // the first of several
  EXPECT_FALSE(steered(ipv4(kUdp, 2, 53, 0x0010)));
}

TEST_F(NetSteerProgram, IcmpIsBothFamilies) {
  add(match("", FL_NET_PROTO_ICMP));
  EXPECT_TRUE(steered(ipv4(kIcmp, 2, 0)));
  EXPECT_TRUE(steered(ipv6(kIcmp6, 2, 0)));
  EXPECT_FALSE(steered(ipv4(kTcp, 2, 0)));
}

TEST_F(NetSteerProgram, MatchesNetworksOfBothFamilies) {
  add(match("10.99.0.0/30"));
  add(match("fd99::/126"));
  EXPECT_TRUE(steered(ipv4(kTcp, 3, 1)));
  EXPECT_FALSE(steered(ipv4(kTcp, 4, 1)));
  EXPECT_TRUE(steered(ipv6(kTcp, 3, 1)));
  EXPECT_FALSE(steered(ipv6(kTcp, 4, 1)));
}

TEST_F(NetSteerProgram, APastDeadlineLetsALaterRuleMatch) {
  const int first = add(match("10.99.0.2"));
  add(match("10.99.0.0/24"));
  EXPECT_TRUE(steered(ipv4(kTcp, 2, 1)));
  EXPECT_EQ(steer_->counters(first).injected, 1u);
  steer_->set_deadline(first, mono_now() - std::chrono::seconds(1));
  EXPECT_TRUE(steered(ipv4(kTcp, 2, 1)));
  EXPECT_EQ(steer_->counters(first).injected, 1u);
}

TEST_F(NetSteerProgram, TheLastFaultLeavesNothingToTheNext) {
  steer_->remove(add(match("10.99.0.2")));
  EXPECT_FALSE(steered(ipv4(kTcp, 2, 1)));
  add(match("10.99.0.3"));
  EXPECT_FALSE(steered(ipv4(kTcp, 2, 1)));
  EXPECT_TRUE(steered(ipv4(kTcp, 3, 1)));
}

TEST_F(NetSteerProgram, RefusesMoreThanSixtyFourRules) {
  PacketMatch many;
  for (int i = 0; i < 32; ++i) many.peers.push_back(parse_ip_network(fmt::format("10.0.{}.0/24", i)).value());
  for (std::uint16_t i = 1; i <= 32; ++i) many.ports.push_back({i, i});
  many.protocol = FL_NET_PROTO_TCP;
  ASSERT_EQ(rules_in(many), 64u);
  add(many);
  EXPECT_EQ(steer_->add(rule(match("10.99.0.2"))).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(NetSteerProgram, RefusesMoreThanThirtyTwoFaults) {
  for (int i = 0; i < 32; ++i) add(match("10.99.0.2"));
  EXPECT_EQ(steer_->add(rule(match("10.99.0.2"))).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(NetSteerProgram, WhatItCannotReadDoesNotMatch) {
  add(match("", FL_NET_PROTO_TCP, {{443, 443}}));
  Packet headless = ipv4(kTcp, 2, 443);
  headless.resize(14 + 20);  // the transport header is missing
  EXPECT_FALSE(steered(headless));
  Packet arp(60, 0);
  arp[12] = 0x08, arp[13] = 0x06;
  EXPECT_FALSE(steered(arp));
}

TEST_F(NetSteerProgram, TheHighestPriorityHasThePacketThenTheEarliest) {
  SteerRule late = rule(match("10.99.0.2"));
  late.priority = kBand + 1;
  SteerRule high = rule(match("10.99.0.0/24"));
  high.precedence = 5;
  high.priority = kBand + 2;
  add(match("10.99.0.2"));
  ASSERT_TRUE(steer_->add(late).ok());
  EXPECT_EQ(priority_of(ipv4(kTcp, 2, 1)), kBand);
  const int added = steer_->add(high).value();
  EXPECT_EQ(priority_of(ipv4(kTcp, 2, 1)), kBand + 2);
  steer_->remove(added);
  EXPECT_EQ(priority_of(ipv4(kTcp, 2, 1)), kBand);
}

TEST_F(NetSteerProgram, AnExceptionLeavesThePacketToALaterFault) {
  PacketMatch all_but_one = match("10.99.0.0/24");
  all_but_one.except.push_back(parse_ip_network("10.99.0.3").value());
  add(all_but_one);
  SteerRule second = rule(match("10.99.0.3"));
  second.priority = kBand + 1;
  ASSERT_TRUE(steer_->add(second).ok());
  EXPECT_EQ(priority_of(ipv4(kTcp, 2, 1)), kBand);
  EXPECT_EQ(priority_of(ipv4(kTcp, 3, 1)), kBand + 1);
}

TEST_F(NetSteerProgram, WithoutABandThePacketIsRefused) {
  SteerRule refuse = rule(match("10.99.0.2"));
  refuse.priority = 0;
  ASSERT_TRUE(steer_->add(refuse).ok());
  EXPECT_EQ(priority_of(ipv4(kTcp, 2, 1)), -1);
  EXPECT_EQ(priority_of(ipv4(kTcp, 3, 1)), 0);
}

TEST_F(NetSteerProgram, TheSameSeedAndPacketsMeetTheSameFate) {
  SteerRule half = rule(match("10.99.0.2"));
  half.selection.chance = dice_threshold(0.5);
  half.seed = 42;
  const int first = steer_->add(half).value();
  const std::string hits = pattern(200);
  steer_->remove(first);
  const int again = steer_->add(half).value();
  EXPECT_EQ(pattern(200), hits);
  steer_->remove(again);
  half.seed = 43;
  ASSERT_TRUE(steer_->add(half).ok());
  EXPECT_NE(pattern(200), hits);
  // And it is what the shared functions say, which is what a replay goes by.
  std::string expected;
  std::uint64_t memory = 0;
  for (int i = 0; i < 200; ++i) {
    expected += fl_selected(&half.selection, 42, memory) ? 'x' : '.';
    memory = fl_selection_next(&half.selection, 42, memory);
  }
  EXPECT_EQ(hits, expected);
}

TEST_F(NetSteerProgram, BurstsFollowTheirTwoStates) {
  SteerRule bursts = rule(match("10.99.0.2"));
  bursts.selection = {.n = 0,
                      .chance = 1ull << 32,
                      .chance_in_good = 0,
                      .enter_bad = dice_threshold(0.1),
                      .leave_bad = dice_threshold(0.3),
                      .how = FL_SELECT_BURSTS,
                      .pad = 0};
  bursts.seed = 7;
  const int fault = steer_->add(bursts).value();
  std::string expected;
  std::uint64_t memory = 0;
  for (int i = 0; i < 300; ++i) {
    expected += fl_selected(&bursts.selection, 7, memory) ? 'x' : '.';
    memory = fl_selection_next(&bursts.selection, 7, memory);
  }
  EXPECT_EQ(pattern(300), expected);
  EXPECT_EQ(steer_->counters(fault).matched, 300u);
  EXPECT_EQ(steer_->counters(fault).injected,
            static_cast<std::uint64_t>(std::count(expected.begin(), expected.end(), 'x')));
}

TEST_F(NetSteerProgram, EveryNthAndTheFirstN) {
  SteerRule every = rule(match("10.99.0.2"));
  every.selection.n = 3;
  every.selection.how = FL_SELECT_EVERY;
  const int fault = steer_->add(every).value();
  EXPECT_EQ(pattern(9), "..x..x..x");
  steer_->remove(fault);
  every.selection.n = 2;
  every.selection.how = FL_SELECT_FIRST;
  ASSERT_TRUE(steer_->add(every).ok());
  EXPECT_EQ(pattern(5), "xx...");
}

TEST_F(NetSteerProgram, AConnectionSticksToItsFate) {
  SteerRule some = rule(match("10.99.0.2"));
  some.share = 0.5;
  some.share_of_connections = true;
  ASSERT_TRUE(steer_->add(some).ok());
  int hit = 0;
  for (int port = 1; port <= 200; ++port) {
    const bool fate = steered(ipv4(kTcp, 2, port));
    for (int i = 0; i < 3; ++i) ASSERT_EQ(steered(ipv4(kTcp, 2, port)), fate) << port;
    hit += fate;
  }
  EXPECT_GT(hit, 65);  // 100, five standard deviations of 7
  EXPECT_LT(hit, 135);
}

TEST_F(NetSteerProgram, APulseIsOnAndOff) {
  SteerRule pulse = rule(match("10.99.0.2"));
  const __u64 now = static_cast<__u64>(ktime_ns(mono_now()));
  constexpr __u64 kPhase = 10'000'000'000;  // a machine need not have been up for longer
  // In the middle of the first phase of two, then of the second.
  pulse.schedule.start_ns = now - kPhase / 2;
  pulse.schedule.on_ns = kPhase;
  pulse.schedule.period_ns = 2 * kPhase;
  const int on = steer_->add(pulse).value();
  EXPECT_TRUE(steered(ipv4(kTcp, 2, 1)));
  steer_->remove(on);
  pulse.schedule.start_ns = now - kPhase - kPhase / 2;
  ASSERT_TRUE(steer_->add(pulse).ok());
  EXPECT_FALSE(steered(ipv4(kTcp, 2, 1)));
}

TEST_F(NetSteerProgram, AnArmedFaultWaitsForItsStart) {
  SteerRule armed = rule(match("10.99.0.2"));
  armed.schedule.start_ns = static_cast<__u64>(ktime_ns(mono_now() + std::chrono::milliseconds(300)));
  const int fault = steer_->add(armed).value();
  EXPECT_FALSE(steered(ipv4(kTcp, 2, 1)));
  ::usleep(320'000);
  EXPECT_TRUE(steered(ipv4(kTcp, 2, 1)));
  EXPECT_EQ(steer_->counters(fault).matched, 1u);
}

TEST_F(NetSteerProgram, PeersCanMoveUnderAFault) {
  const int fault = add(match("10.99.0.2"));
  ASSERT_TRUE(steer_->replace(fault, match("10.99.0.3")).ok());
  EXPECT_FALSE(steered(ipv4(kTcp, 2, 1)));
  EXPECT_TRUE(steered(ipv4(kTcp, 3, 1)));
}

class NetSteerExemption : public NetSteerProgram {
  std::vector<Exemption> exemptions() const override {
    return {{.name = "control", .match = match("10.99.0.2", FL_NET_PROTO_TCP, {{7443, 7443}})},
            {.name = "dns", .match = match("", FL_NET_PROTO_ANY, {{53, 53}})}};
  }
};

TEST_F(NetSteerExemption, SparesWhatItMatches) {
  add(match(""));
  EXPECT_FALSE(steered(ipv4(kTcp, 2, 7443)));
  EXPECT_TRUE(steered(ipv4(kTcp, 3, 7443)));
  EXPECT_TRUE(steered(ipv4(kTcp, 2, 80)));
  EXPECT_FALSE(steered(ipv4(kUdp, 3, 53)));
  EXPECT_FALSE(steered(ipv6(kUdp, 3, 53)));
}

TEST_F(NetSteerExemption, DoesNotHoldForAFaultThatLiftsIt) {
  SteerRule named = rule(match("", FL_NET_PROTO_UDP, {{53, 53}}));
  named.lifted = 1u << 1;
  ASSERT_TRUE(steer_->add(named).ok());
  EXPECT_TRUE(steered(ipv4(kUdp, 3, 53)));
}

}  // namespace
}  // namespace faultline::testing
