// The steering program on its own: packet in, priority out, through BPF_PROG_TEST_RUN.
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
    auto made = NetSteer::make(cgroup_.get());
    ASSERT_TRUE(made.ok()) << made.status();
    steer_ = std::move(*made);
    program_.reset(bpf_prog_get_fd_by_id(steer_->program_id()));
  }
  void TearDown() override {
    steer_.reset();
    cgroup_.reset();
    shell("rmdir " + directory_);
  }

  bool steered(const Packet& packet) {
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
    EXPECT_EQ(options.retval, 1u) << "the program must never drop by itself";
    return after.priority == kBand;
  }
  int add(const PacketMatch& m, double probability = 1.0) {
    return steer_
        ->add(m, {.priority = kBand, .probability = probability, .seed = 1},
              mono_now() + std::chrono::hours(1))
        .value();
  }

  UniqueFd cgroup_, program_;
  std::string directory_;
  std::unique_ptr<NetSteer> steer_;
};

constexpr unsigned char kTcp = 6, kUdp = 17, kIcmp = 1, kIcmp6 = 58;

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

TEST_F(NetSteerProgram, RefusesMoreThanSixtyFourRules) {
  PacketMatch many;
  for (int i = 0; i < 8; ++i) many.peers.push_back(parse_ip_network(fmt::format("10.0.{}.0/24", i)).value());
  for (std::uint16_t i = 0; i < 8; ++i) many.ports.push_back({i, i});
  many.protocol = FL_NET_PROTO_TCP;
  ASSERT_EQ(rules_of(many, 0).size(), 64u);
  add(many);
  const auto more = steer_->add(match("10.99.0.2"), {.priority = kBand}, mono_now() + std::chrono::hours(1));
  EXPECT_EQ(more.status().code(), StatusCode::kResourceExhausted);
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

}  // namespace
}  // namespace faultline::testing
