#include <gtest/gtest.h>

#include <future>

#include "tests/support/agent_process.h"
#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kName = "db.faulted.test";
constexpr const char* kOtherName = "db.other.test";
constexpr int kShortWaitMs = 400;

class NetDns : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& kind : lab.kinds) {
      if (kind->name() != "dns") continue;
      const Status supported = kind->supported();
      REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    }
  }
  void apply(const v1::FaultSpec& spec, const std::string& id = "f", Nanos lasting = seconds(60)) {
    const auto applied = lab.engine.apply(lab.request(spec, id, lasting));
    ASSERT_TRUE(applied.ok()) << applied.status();
  }
  void apply(v1::DnsAnswer answer) { apply(dns_spec(answer, "*.faulted.test")); }

  DnsResult ask(const std::string& name, const std::string& how = "udp", const std::string& server = kPeer,
                int type = 1, int wait_ms = 2000) {
    return NetLab::dns(lab.net.target(), server, name, how, type, wait_ms);
  }
  int rcode(const std::string& name) { return ask(name, "udp", kPeer, 1, kShortWaitMs).rcode; }

  // What the system shows of the target's cgroup and of the sockets in its namespace.
  std::string shown() const {
    return shell("bpftool cgroup show " + lab.net.cgroup_path() + "; ss -N " + lab.net.netns() + " -Hltun");
  }

  FaultLab lab;
};

class NetDnsOver : public NetDns, public ::testing::WithParamInterface<std::string> {
 protected:
  DnsResult ask_so(const std::string& name, const std::string& server = kPeer, int type = 1,
                   int wait_ms = 2000) {
    return ask(name, GetParam(), server, type, wait_ms);
  }
};

TEST_P(NetDnsOver, NamesAreSaidNotToExist) {
  apply(v1::DNS_ANSWER_NXDOMAIN);
  const DnsResult result = ask_so(kName);
  EXPECT_EQ(result.rcode, 3);
  EXPECT_TRUE(result.edns);
  EXPECT_EQ(ask_so(kOtherName).first, kTrueAddress);
}

TEST_P(NetDnsOver, ServersAreSaidToFail) {
  apply(v1::DNS_ANSWER_SERVFAIL);
  EXPECT_EQ(ask_so(kName).rcode, 2);
  EXPECT_EQ(ask_so(kOtherName).first, kTrueAddress);
}

TEST_P(NetDnsOver, AnswersDoNotCome) {
  apply(v1::DNS_ANSWER_TIMEOUT);
  EXPECT_EQ(ask_so(kName, kPeer, 1, kShortWaitMs).rcode, -1);
  EXPECT_EQ(ask_so(kOtherName).first, kTrueAddress);
}

TEST_P(NetDnsOver, TrueAnswersComeLate) {
  v1::FaultSpec spec = dns_spec(v1::DNS_ANSWER_DELAY, "*.faulted.test");
  *spec.mutable_dns()->mutable_delay() = duration(milliseconds(300));
  apply(spec);
  const DnsResult late = ask_so(kName);
  EXPECT_EQ(late.first, kTrueAddress);
  EXPECT_GE(late.ms, 300);
  EXPECT_LT(late.ms, 1300);
  EXPECT_LT(ask_so(kOtherName).ms, 300);
}

TEST_P(NetDnsOver, OtherAddressesAreGiven) {
  v1::FaultSpec spec = dns_spec(v1::DNS_ANSWER_ADDRESS, "*.faulted.test");
  spec.mutable_dns()->add_addresses("10.7.7.7");
  spec.mutable_dns()->add_addresses("10.7.7.8");
  apply(spec);
  const DnsResult v4 = ask_so(kName);
  EXPECT_EQ(v4.first, "10.7.7.7");
  EXPECT_EQ(v4.answers, 2);
  const DnsResult v6 = ask_so(kName, kPeer, 28);
  EXPECT_EQ(v6.rcode, 0);
  EXPECT_EQ(v6.answers, 0);
  EXPECT_EQ(ask_so(kOtherName).first, kTrueAddress);
}

TEST_P(NetDnsOver, AnswersSeemToComeFromTheServerThatWasAsked) {
  apply(v1::DNS_ANSWER_NXDOMAIN);
  for (const char* name : {kName, kOtherName}) {
    EXPECT_EQ(ask_so(name).source, "10.99.0.2#53") << name;
    EXPECT_EQ(ask_so(name, kOtherPeer).source, "10.99.0.3#53") << name;
    EXPECT_EQ(ask_so(name, kPeer6).source, "fd99::2#53") << name;
    EXPECT_EQ(ask_so(name, "::ffff:10.99.0.2").source, "::ffff:10.99.0.2#53") << name;
  }
}

TEST_P(NetDnsOver, EachServerAnswersItsOwnQueries) {
  apply(v1::DNS_ANSWER_NXDOMAIN);
  EXPECT_EQ(ask_so(kOtherName, kOtherPeer).first, "192.0.2.2");
  EXPECT_EQ(ask_so(kOtherName, kPeer).first, "192.0.2.1");
  EXPECT_EQ(ask_so(kOtherName, kPeer6).first, "192.0.2.3");
  EXPECT_EQ(ask_so(kOtherName, kOtherPeer6, 28).first, "2001:db8::4");
  EXPECT_EQ(ask_so(kName, kOtherPeer6).rcode, 3);
  EXPECT_EQ(ask_so(kName, "::ffff:10.99.0.3").rcode, 3);
}

INSTANTIATE_TEST_SUITE_P(EveryWay, NetDnsOver, ::testing::Values("udp", "sendto", "tcp"),
                         [](const auto& instance) { return instance.param; });

TEST_F(NetDns, TruncatedAndLargeAnswersPassAsTheyAre) {
  apply(v1::DNS_ANSWER_NXDOMAIN);
  EXPECT_TRUE(ask("big.other.test", "udp").truncated);
  EXPECT_EQ(ask("big.other.test", "tcp").answers, 200);
}

TEST_F(NetDns, TheNeighbourIsLeftAlone) {
  apply(v1::DNS_ANSWER_NXDOMAIN);
  for (const char* how : {"udp", "sendto", "tcp"}) {
    EXPECT_EQ(NetLab::dns(lab.net.neighbour(), kPeer, kName, how).first, kTrueAddress) << how;
  }
  EXPECT_EQ(lab.status().counters().evaluated(), 0u);
}

TEST_F(NetDns, CountsQueriesByName) {
  v1::FaultSpec spec = dns_spec(v1::DNS_ANSWER_SERVFAIL, "*.faulted.test");
  spec.mutable_dns()->mutable_queries()->set_every(2);
  apply(spec);
  std::string fates;
  for (int i = 0; i < 6; ++i) {
    ask(kOtherName);
    fates += rcode(kName) == 2 ? 'x' : '.';
  }
  EXPECT_EQ(fates, ".x.x.x");
  const v1::FaultStatus status = lab.revert();
  EXPECT_EQ(status.counters().evaluated(), 12u);
  EXPECT_EQ(status.counters().matched(), 6u);
  EXPECT_EQ(status.counters().injected(), 3u);
}

TEST_F(NetDns, TwoFaultsOnOneTargetHaveTheirOwnNamesAndEnds) {
  apply(v1::DNS_ANSWER_NXDOMAIN);
  v1::FaultSpec all = dns_spec(v1::DNS_ANSWER_SERVFAIL, "*");
  apply(all, "all");
  EXPECT_EQ(rcode(kName), 3) << "the earlier fault has it";
  EXPECT_EQ(rcode(kOtherName), 2);
  EXPECT_EQ(lab.revert("f").residue_size(), 0);
  EXPECT_EQ(rcode(kName), 2);
  all.set_priority(1);
  all.mutable_dns()->set_answer(v1::DNS_ANSWER_NXDOMAIN);
  apply(all, "above");
  EXPECT_EQ(rcode(kName), 3) << "the higher priority has it";
  EXPECT_EQ(lab.revert("above").residue_size(), 0);
  EXPECT_EQ(lab.revert("all").residue_size(), 0);
  EXPECT_EQ(rcode(kName), 0);
}

TEST_F(NetDns, PulsesAreOnAndOff) {
  constexpr auto kPhase = milliseconds(700);
  v1::FaultSpec spec = dns_spec(v1::DNS_ANSWER_NXDOMAIN, "*.faulted.test");
  *spec.mutable_pulse()->mutable_on() = duration(kPhase);
  *spec.mutable_pulse()->mutable_off() = duration(kPhase);
  const MonoTime before = mono_now();
  apply(spec);
  const MonoTime after = mono_now();
  int seen[2] = {};
  while (mono_now() < after + 6 * kPhase) {
    const MonoTime asked = mono_now();
    const int answer = rcode(kName);
    // The fault began between `before` and `after`; the question was answered between `asked` and now. Only
    // what is in one phase whatever these were tells something.
    const auto earliest = (asked - after) / kPhase;
    if (earliest != (mono_now() - before) / kPhase) continue;
    const bool on = earliest % 2 == 0;
    EXPECT_EQ(answer, on ? 3 : 0) << "in phase " << earliest;
    ++seen[on];
  }
  EXPECT_GT(seen[true], 0);
  EXPECT_GT(seen[false], 0);
}

TEST_F(NetDns, QueriesUnderWayAtTheEndGetTheirTrueAnswers) {
  v1::FaultSpec spec = dns_spec(v1::DNS_ANSWER_DELAY, "*.faulted.test");
  *spec.mutable_dns()->mutable_delay() = duration(seconds(30));
  apply(spec);
  auto answer = std::async(std::launch::async, [this] { return ask(kName, "sendto", kPeer, 1, 10'000); });
  while (lab.status().counters().injected() == 0) std::this_thread::sleep_for(milliseconds(5));
  lab.revert();
  const DnsResult result = answer.get();
  EXPECT_EQ(result.first, kTrueAddress);
  EXPECT_EQ(result.source, "10.99.0.2#53") << "given back by programs that were still there";
  EXPECT_LT(result.ms, 5000);
}

TEST_F(NetDns, ServersBeyondTheEighthAreLeftAlone) {
  apply(v1::DNS_ANSWER_NXDOMAIN);
  for (int i = 11; i <= 18; ++i) ask(kOtherName, "udp", fmt::format("10.99.0.{}", i), 1, 1);
  EXPECT_EQ(ask(kName).first, kTrueAddress);
  EXPECT_EQ(ask(kName, "udp", kPeer6).rcode, 3) << "of each family";
}

TEST_F(NetDns, RevertLeavesNothing) {
  const std::string before = shown();
  apply(v1::DNS_ANSWER_NXDOMAIN);
  EXPECT_EQ(rcode(kName), 3);
  const std::string during = shown();
  EXPECT_NE(during.find("fl_dns_connect4"), std::string::npos) << during;
  EXPECT_NE(during.find("127.0.0.1:"), std::string::npos) << during;
  const v1::FaultStatus status = lab.revert();
  EXPECT_TRUE(status.residue_checked());
  EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
  EXPECT_EQ(shown(), before);
  EXPECT_EQ(rcode(kName), 0);
}

TEST_F(NetDns, ATargetWithoutLoopbackIsRefused) {
  shell("ip -n " + lab.net.netns() + " link set lo down");
  const Status status = lab.engine.apply(lab.request(dns_spec(v1::DNS_ANSWER_NXDOMAIN, "*"))).status();
  shell("ip -n " + lab.net.netns() + " link set lo up");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(message_of(status).find("127.0.0.1"), std::string::npos) << status;
  EXPECT_TRUE(lab.engine.list().empty());
}

// The responder is frozen with its agent, so names are not answered at all until the kernel lets go.
TEST_F(NetDns, AFrozenAgentsRedirectEndsAtTheDeadline) {
  TempDir dir;
  AgentProcess agent(dir.path());
  v1::ApplyResponse response;
  const MonoTime before = mono_now();
  ASSERT_TRUE(agent
                  .call(&v1::Agent::Stub::Apply,
                        lab.request(dns_spec(v1::DNS_ANSWER_NXDOMAIN, "*.faulted.test"), "f", seconds(3)),
                        response)
                  .ok());
  const MonoTime after = mono_now();
  EXPECT_EQ(rcode(kName), 3);
  agent.signal(SIGSTOP);
  EXPECT_EQ(rcode(kOtherName), -1);
  MonoTime asked;
  DnsResult result;
  do {
    asked = mono_now();
    result = ask(kName, "sendto", kPeer, 1, 50);
  } while (result.rcode == -1 && asked < after + seconds(6));
  EXPECT_EQ(result.first, kTrueAddress);
  EXPECT_GE(mono_now(), before + seconds(3));
  EXPECT_LT(asked, after + milliseconds(3500));
}

}  // namespace
}  // namespace faultline::testing
