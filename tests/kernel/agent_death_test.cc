// The safety contract against the real agent process: killed, frozen, told to stop, abandoned.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "agent/kernel/net_support.h"
#include "agent/target/cgroup.h"
#include "agent/watchdog/main.h"
#include "common/clock.h"
#include "tests/support/agent_process.h"
#include "tests/support/fault_examples.h"
#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

double to_ms(Nanos t) {
  return std::chrono::duration<double, std::milli>(t).count();
}

class AgentDeath : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = shared_support().band(NetemParams{});
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    clean = net.network_state();
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

  // Sends a datagram every 2 ms for `span`; when the first one that was answered had been sent.
  std::optional<MonoTime> first_answered(Nanos span) {
    constexpr int kIntervalUs = 2000;
    const int count = static_cast<int>(span / std::chrono::microseconds(kIntervalUs));
    const UdpResult result = NetLab::udp(net.target(), kPeer, kPort, count, kIntervalUs, 200);
    for (std::size_t i = 0; i < result.answered.size(); ++i) {
      if (result.answered[i]) return MonoTime(Nanos(result.sent_ns[i]));
    }
    return std::nullopt;
  }

  // A watchdog whose agent has died ends by itself, soon.
  void expect_gone(pid_t watchdog) {
    const MonoTime before = mono_now();
    while (::kill(watchdog, 0) == 0 && mono_now() - before < seconds(5))
      std::this_thread::sleep_for(milliseconds(1));
    EXPECT_NE(::kill(watchdog, 0), 0);
    RecordProperty("watchdog_done_within_ms", std::to_string(to_ms(mono_now() - before)));
  }
  // Frozen first, so that the agent cannot start another one.
  static void kill_with_watchdog(AgentProcess& agent) {
    // Faults that leave nothing behind do not wait for it, and a busy machine starts it slowly.
    for (int i = 0; i < 500 && agent.watchdog() <= 0; ++i) std::this_thread::sleep_for(milliseconds(20));
    agent.signal(SIGSTOP);
    const pid_t watchdog = agent.watchdog();
    if (watchdog <= 0) throw std::runtime_error("the agent has no watchdog");  // -1 would be everybody
    ::kill(watchdog, SIGKILL);
    ::kill(agent.pid(), SIGKILL);
    agent.stop(SIGKILL);
  }
  static std::string watchdog_cgroup() { return find_cgroup_root().value() + "/" + kWatchdogCgroup; }

  NetLab& net = shared_net_lab();
  TempDir dir;
  std::string clean;
};

TEST_F(AgentDeath, SigkillEndsTheEffectWithinOneSecondAndTheWatchdogLeavesNoResidue) {
  AgentProcess agent(dir.path());
  apply(agent, loss_spec(1.0), seconds(60));
  ASSERT_EQ(loss_to_peer(), 1.0);
  const pid_t watchdog = agent.watchdog();
  ASSERT_GT(watchdog, 0);
  const MonoTime killed = mono_now();
  agent.stop(SIGKILL);
  const auto back = first_answered(seconds(1));
  ASSERT_TRUE(back.has_value()) << "no answer within a second";
  RecordProperty("effect_gone_within_ms", std::to_string(to_ms(*back - killed)));
  EXPECT_LT(to_ms(*back - killed), 1000);
  expect_gone(watchdog);
  EXPECT_EQ(net.network_state(), clean);
  EXPECT_EQ(loss_to_peer(), 0.0);
  EXPECT_FALSE(std::filesystem::exists(watchdog_cgroup()));
}

TEST_F(AgentDeath, WithoutItsWatchdogTheNextAgentLeavesNoResidue) {
  {
    AgentProcess agent(dir.path());
    apply(agent, loss_spec(1.0), seconds(60));
    kill_with_watchdog(agent);
  }
  EXPECT_EQ(loss_to_peer(), 0.0);
  EXPECT_NE(net.network_state().find("fa17:"), std::string::npos) << "the inert tree waits for the sweep";
  AgentProcess next(dir.path());  // sweeps at start
  EXPECT_EQ(net.network_state(), clean);
}

TEST_F(AgentDeath, AKillOfTheAgentsWholeCgroupDoesNotTakeTheWatchdogAlong) {
  const std::string cgroup = find_cgroup_root().value() + "/fl-lab-agent";
  shell("mkdir -p " + cgroup);
  std::ofstream(cgroup + "/cgroup.procs") << "0";  // what this process starts begins there, too
  std::optional<AgentProcess> agent(std::in_place, dir.path());
  std::ofstream(find_cgroup_root().value() + "/cgroup.procs") << "0";
  apply(*agent, loss_spec(1.0), seconds(60));
  const pid_t watchdog = agent->watchdog();
  EXPECT_TRUE(std::ifstream(fmt::format("{}/{}", watchdog_cgroup(), "cgroup.procs")).good());
  std::ofstream(cgroup + "/cgroup.kill") << "1";
  expect_gone(watchdog);
  EXPECT_EQ(net.network_state(), clean);
  agent.reset();
  shell("rmdir " + cgroup);
}

TEST_F(AgentDeath, AWatchdogThatDiedIsReplacedAndKnowsWhatToRemove) {
  AgentProcess agent(dir.path());
  apply(agent, loss_spec(1.0), seconds(60));
  const pid_t first = agent.watchdog();
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  pid_t second = -1;
  for (int i = 0; i < 300 && (second <= 0 || second == first); ++i) {
    std::this_thread::sleep_for(milliseconds(20));
    second = agent.watchdog();
  }
  ASSERT_GT(second, 0);
  ASSERT_NE(second, first);
  v1::RenewRequest renew;  // answered: the agent is past the change
  renew.add_ids("f");
  *renew.mutable_lease() = duration(seconds(30));
  v1::RenewResponse ignored;
  ASSERT_TRUE(agent.call(&v1::Agent::Stub::Renew, renew, ignored).ok());
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_EQ(loss_to_peer(), 1.0) << "the fault did not notice";
  agent.stop(SIGKILL);
  expect_gone(second);
  EXPECT_EQ(net.network_state(), clean);
}

TEST_F(AgentDeath, SigstopLetsTheEffectEndAtTheDeadlineWithinFiftyMilliseconds) {
  AgentProcess agent(dir.path());
  const v1::FaultStatus fault = apply(agent, loss_spec(1.0), seconds(60), seconds(3)).fault();
  agent.signal(SIGSTOP);
  const Nanos deadline(google::protobuf::util::TimeUtil::TimestampToNanoseconds(fault.deadline()));
  const auto left = deadline - std::chrono::duration_cast<Nanos>(wall_now().time_since_epoch());
  const MonoTime expected = mono_now() + left;
  const auto back = first_answered(seconds(4));
  ASSERT_TRUE(back.has_value()) << "no answer until a second after the deadline";
  const double off_ms = to_ms(*back - expected);
  RecordProperty("off_by_ms", std::to_string(off_ms));
  EXPECT_NEAR(off_ms, 0, 50);
  agent.signal(SIGCONT);
  for (int i = 0; i < 100 && net.network_state() != clean; ++i) std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(net.network_state(), clean) << "awake again, the agent takes the rest away";
}

TEST_F(AgentDeath, SigtermRevertsEverythingBeforeTheAgentEnds) {
  AgentProcess agent(dir.path());
  apply(agent, delay_spec(milliseconds(100)), seconds(60));
  const int status = agent.stop(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(net.network_state(), clean);
}

TEST_F(AgentDeath, AnAbandonedFaultEndsWithItsLeaseAndLeavesNothing) {
  AgentProcess agent(dir.path());
  apply(agent, loss_spec(1.0), seconds(60), milliseconds(700));
  EXPECT_EQ(loss_to_peer(), 1.0);
  std::this_thread::sleep_for(milliseconds(900));
  EXPECT_EQ(loss_to_peer(), 0.0);
  EXPECT_EQ(net.network_state(), clean);
}

TEST_F(AgentDeath, WatchdogAndSweepLeaveWhatOthersMadeAlone) {
  AgentProcess agent(dir.path());
  apply(agent, loss_spec(1.0), seconds(60));
  agent.signal(SIGSTOP);
  const std::string ours = net.detour_device();
  shell("tc -n " + net.netns() + " qdisc add dev eth0 root handle 5: pfifo limit 55");
  // Of our pair's name, but not of its group.
  shell("ip -n " + net.netns() + " link del " + ours + " && ip -n " + net.netns() + " link add " + ours +
        " type veth peer name other");
  const std::string foreign = net.network_state();
  const pid_t watchdog = agent.watchdog();
  agent.stop(SIGKILL);
  expect_gone(watchdog);
  EXPECT_EQ(net.network_state(), foreign);
  AgentProcess next(dir.path());
  EXPECT_EQ(net.network_state(), foreign);
  shell("ip -n " + net.netns() + " link del " + ours);
  shell("tc -n " + net.netns() + " qdisc del dev eth0 root");
}

// The folder of the journal is a small disk of its own, which is filled up under the running agent.
TEST_F(AgentDeath, AFullJournalDiskIsOneClearErrorAndNothingIsLeft) {
  const std::string state = dir.path() + "/state";
  shell("mkdir " + state + " && mount -t tmpfs -o size=64k tmpfs " + state);
  {
    // An entry that no sweep of this agent's removes fills the file's page up to some bytes.
    std::ofstream(state + "/journal.jsonl")
        << R"({"boot":")" << shell("tr -d '\\n' </proc/sys/kernel/random/boot_id") << "\"}\n"
        << R"({"entry":1,"kind":"padding","op":"intend","where":")" << std::string(3950, 'x') << "\"}\n";
  }
  {
    AgentProcess agent(dir.path());
    ASSERT_LT(std::filesystem::file_size(state + "/journal.jsonl"), 4096u);
    shell("cat /dev/zero >" + state + "/filler 2>/dev/null || :");
    v1::ApplyRequest request;
    request.set_id("f");
    request.set_target(net.target_ref());
    *request.mutable_spec() = loss_spec(1.0);
    *request.mutable_duration() = duration(seconds(60));
    v1::ApplyResponse response;
    const grpc::Status refused = agent.call(&v1::Agent::Stub::Apply, request, response);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(refused.error_message(), "nothing was changed, for it could not be written down first: write " +
                                           state + "/journal.jsonl: No space left on device");
    EXPECT_EQ(net.network_state(), clean);
    EXPECT_EQ(loss_to_peer(), 0.0);
    v1::ListResponse list;
    ASSERT_TRUE(agent.call(&v1::Agent::Stub::List, v1::ListRequest{}, list).ok());
    EXPECT_EQ(list.faults_size(), 0);
    shell("rm " + state + "/filler");
    apply(agent, loss_spec(1.0), seconds(60));
    EXPECT_EQ(loss_to_peer(), 1.0) << "with room again, it works again";
  }
  EXPECT_EQ(net.network_state(), clean);
  shell("umount " + state);
}

TEST_F(AgentDeath, AJournalThatHasVanishedIsOneClearErrorAndNothingIsLeft) {
  AgentProcess agent(dir.path());
  std::filesystem::remove_all(dir.path() + "/state");
  v1::ApplyRequest request;
  request.set_id("f");
  request.set_target(net.target_ref());
  *request.mutable_spec() = loss_spec(1.0);
  *request.mutable_duration() = duration(seconds(60));
  v1::ApplyResponse response;
  const grpc::Status refused = agent.call(&v1::Agent::Stub::Apply, request, response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_NE(refused.error_message().find("journal.jsonl has been removed"), std::string::npos);
  EXPECT_EQ(net.network_state(), clean);
  EXPECT_EQ(loss_to_peer(), 0.0);
}

TEST_F(AgentDeath, ASecondAgentOnTheSameStateIsRefused) {
  AgentProcess agent(dir.path());
  const std::string told = shell(std::string(FAULTLINE_AGENT) + " --listen unix:" + dir.path() +
                                 "/other.sock --state-dir " + dir.path() + "/state || echo exit $?");
  EXPECT_NE(told.find("another agent already uses"), std::string::npos) << told;
  EXPECT_NE(told.find("exit 7"), std::string::npos) << told;
}

// What is at the host's end of the veth outlives its maker, but not its effect.
TEST_F(AgentDeath, AFaultOfWhatArrivesDiesWithTheAgent) {
  const auto host = [&] { return NetLab::network_state(net.peer_netns()); };
  const std::string clean_host = host();
  AgentProcess agent(dir.path());
  v1::FaultSpec spec = delay_spec(milliseconds(400));
  spec.mutable_delay()->mutable_traffic()->set_direction(v1::DIRECTION_INGRESS);
  apply(agent, spec, seconds(60));
  ASSERT_TRUE(harms_udp(net.target(), kPeer));
  ASSERT_NE(host(), clean_host);
  kill_with_watchdog(agent);
  ASSERT_NE(host(), clean_host) << "nobody is there to take it away";
  EXPECT_FALSE(harms_udp(net.target(), kPeer));
  AgentProcess next(dir.path());
  EXPECT_EQ(host(), clean_host);
}

class AgentKilled : public AgentDeath, public ::testing::WithParamInterface<std::string> {};

TEST_P(AgentKilled, NoKindOfFaultOutlivesItsAgent) {
  const FaultExample& example = fault_examples().at(GetParam());
  {
    AgentProcess agent(dir.path());
    apply(agent, example.spec, seconds(60));
    ASSERT_TRUE(example.bites(net.target(), kPeer));
    kill_with_watchdog(agent);
  }
  EXPECT_FALSE(example.bites(net.target(), kPeer));
  AgentProcess next(dir.path());
  EXPECT_EQ(net.network_state(), clean);
}

INSTANTIATE_TEST_SUITE_P(EveryKind, AgentKilled, ::testing::ValuesIn(kinds_of_the_table()), test_name);

}  // namespace
}  // namespace faultline::testing
