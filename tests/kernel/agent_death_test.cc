// The safety contract against the real agent process: killed, frozen, told to stop, abandoned.
#include <gtest/gtest.h>

#include "agent/kernel/net_support.h"
#include "common/clock.h"
#include "tests/support/agent_process.h"
#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AgentDeath : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = probe_shaping_support();
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    clean = net.tc_show();
  }
  v1::ApplyResponse apply(AgentProcess& agent, const v1::FaultSpec& spec, Nanos lasting, Nanos lease = {}) {
    v1::ApplyRequest request;
    request.set_id("f");
    request.set_target(net.target_ref());
    *request.mutable_spec() = spec;
    *request.mutable_duration() = duration(lasting);
    if (lease > Nanos::zero()) *request.mutable_lease() = duration(lease);
    v1::ApplyResponse response;
    const grpc::Status status = agent.call(&v1::Agent::Stub::Apply, request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  double loss_to_peer() { return NetLab::udp(net.target(), kPeer, kPort, 10, 2000, 200).loss(); }

  // Sends a datagram every 2 ms for `span`; returns when, in ms since `since`, the first one was answered
  // again.
  double first_answer_ms(MonoTime since, Nanos span) {
    constexpr int kIntervalUs = 2000;
    const double offset = std::chrono::duration<double, std::milli>(mono_now() - since).count();
    const int count = static_cast<int>(span / std::chrono::microseconds(kIntervalUs));
    const UdpResult result = NetLab::udp(net.target(), kPeer, kPort, count, kIntervalUs, 200);
    for (std::size_t i = 0; i < result.answered.size(); ++i) {
      if (result.answered[i]) return offset + static_cast<double>(i) * kIntervalUs / 1000.0;
    }
    return -1;
  }

  NetLab& net = shared_net_lab();
  TempDir dir;
  std::string clean;
};

TEST_F(AgentDeath, SigkillEndsTheEffectWithinOneSecondAndTheNextSweepLeavesNoResidue) {
  {
    AgentProcess agent(dir.path());
    apply(agent, loss_spec(1.0), seconds(60));
    ASSERT_EQ(loss_to_peer(), 1.0);
    agent.stop(SIGKILL);
    const double back_ms = first_answer_ms(mono_now(), seconds(1));
    EXPECT_GE(back_ms, 0) << "no answer within a second";
    RecordProperty("effect_gone_after_ms", std::to_string(back_ms));
  }
  EXPECT_NE(net.tc_show().find("fa17:"), std::string::npos) << "the inert tree waits for the sweep";
  EXPECT_EQ(loss_to_peer(), 0.0);
  AgentProcess next(dir.path());  // sweeps at start
  EXPECT_EQ(net.tc_show(), clean);
  EXPECT_EQ(loss_to_peer(), 0.0);
}

TEST_F(AgentDeath, SigstopLetsTheEffectEndAtTheDeadlineWithinFiftyMilliseconds) {
  AgentProcess agent(dir.path());
  const v1::FaultStatus fault = apply(agent, loss_spec(1.0), seconds(60), seconds(3)).fault();
  const MonoTime applied = mono_now();  // a moment after the agent took its own time
  agent.signal(SIGSTOP);
  const auto left_ms =
      static_cast<double>(google::protobuf::util::TimeUtil::DurationToMilliseconds(fault.remaining()));
  const double back_ms = first_answer_ms(applied, seconds(4));
  EXPECT_NEAR(back_ms, left_ms, 50);
  RecordProperty("off_by_ms", std::to_string(back_ms - left_ms));
  agent.signal(SIGCONT);
  for (int i = 0; i < 100 && net.tc_show() != clean; ++i) std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(net.tc_show(), clean) << "awake again, the agent takes the rest away";
}

TEST_F(AgentDeath, SigtermRevertsEverythingBeforeTheAgentEnds) {
  AgentProcess agent(dir.path());
  apply(agent, delay_spec(milliseconds(100)), seconds(60));
  const int status = agent.stop(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(net.tc_show(), clean);
}

TEST_F(AgentDeath, AnAbandonedFaultEndsWithItsLeaseAndLeavesNothing) {
  AgentProcess agent(dir.path());
  apply(agent, loss_spec(1.0), seconds(60), milliseconds(700));
  EXPECT_EQ(loss_to_peer(), 1.0);
  std::this_thread::sleep_for(milliseconds(900));
  EXPECT_EQ(loss_to_peer(), 0.0);
  EXPECT_EQ(net.tc_show(), clean);
}

TEST_F(AgentDeath, TheSweepLeavesAForeignQdiscAlone) {
  {
    AgentProcess agent(dir.path());
    apply(agent, loss_spec(1.0), seconds(60));
    agent.stop(SIGKILL);
  }
  shell("tc -n " + net.netns() + " qdisc del dev eth0 root && tc -n " + net.netns() +
        " qdisc add dev eth0 root handle 5: pfifo limit 55");
  const std::string foreign = net.tc_show();
  AgentProcess next(dir.path());
  EXPECT_EQ(net.tc_show(), foreign);
  shell("tc -n " + net.netns() + " qdisc del dev eth0 root");
}

TEST_F(AgentDeath, ASecondAgentOnTheSameStateIsRefused) {
  AgentProcess agent(dir.path());
  EXPECT_THROW(shell(std::string(FAULTLINE_AGENT) + " --listen unix:" + dir.path() +
                     "/other.sock --state-dir " + dir.path() + "/state"),
               std::runtime_error);
}

}  // namespace
}  // namespace faultline::testing
