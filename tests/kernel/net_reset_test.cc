#include <gtest/gtest.h>

#include <filesystem>

#include "agent/kernel/tcp_connection.h"
#include "agent/target/cgroup.h"
#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kMapped = "::ffff:10.99.0.2";

class NetReset : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& kind : lab.kinds) {
      if (kind->name() != "reset") continue;
      const Status supported = kind->supported();
      REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    }
  }
  void TearDown() override {
    for (const auto& [who, number] : opened_) who->ask(fmt::format("close {}", number));
  }

  void apply(const v1::FaultSpec& spec, Nanos lasting = seconds(60)) {
    const auto applied = lab.engine.apply(lab.request(spec, "f", lasting));
    ASSERT_TRUE(applied.ok()) << applied.status();
  }
  int open(LabProcess& who, const std::string& peer, int port = kPort, int local_port = 0) {
    const int number = NetLab::open(who, peer, port, local_port);
    EXPECT_GE(number, 0) << peer;
    opened_.emplace_back(&who, number);
    return number;
  }
  int open(const std::string& peer, int port = kPort, int local_port = 0) {
    return open(lab.net.target(), peer, port, local_port);
  }
  static bool alive(LabProcess& who, int number) {
    return who.ask(fmt::format("alive {} 2000", number)) == "1";
  }
  bool alive(int number) { return alive(lab.net.target(), number); }
  static bool broken(LabProcess& who, int number, int wait_ms = 0) {
    return who.ask(fmt::format("broken {} {}", number, wait_ms)) == "1";
  }
  bool broken(int number, int wait_ms = 1) { return broken(lab.net.target(), number, wait_ms); }

  FaultLab lab;
  std::vector<std::pair<LabProcess*, int>> opened_;
};

TEST_F(NetReset, MatchingConnectionsOfTheTargetEndAndNoOthers) {
  v1::FaultSpec spec = reset_spec({});
  auto* port = spec.mutable_reset()->mutable_traffic()->add_ports();
  port->set_first(kPort), port->set_last(kPort);
  const int matching = open(kPeer);
  const int mapped = open(kMapped);
  const int other_port = open(kPeer, kOtherPort);
  const int other_peer = open(kOtherPeer);
  const int ipv6 = open(kPeer6);
  const int neighbours = open(lab.net.neighbour(), kPeer);
  apply(spec);
  EXPECT_TRUE(broken(matching));
  EXPECT_TRUE(broken(mapped)) << "an IPv4 connection, whatever its socket";
  EXPECT_TRUE(alive(other_port));
  EXPECT_TRUE(alive(other_peer));
  EXPECT_TRUE(alive(ipv6));
  EXPECT_TRUE(alive(lab.net.neighbour(), neighbours));
  const v1::FaultStatus status = lab.revert();
  EXPECT_EQ(status.counters().evaluated(), 5u) << "the target's, not the neighbour's";
  EXPECT_EQ(status.counters().matched(), 2u);
  EXPECT_EQ(status.counters().injected(), 2u);
  EXPECT_EQ(status.residue_size(), 0);
}

TEST_F(NetReset, Ipv6PeersAndExceptionsAreMatched) {
  v1::FaultSpec spec = reset_spec({}, "fd99::/64");
  spec.mutable_reset()->mutable_traffic()->add_except(kOtherPeer6);
  const int matching = open(kPeer6);
  const int excepted = open(kOtherPeer6);
  const int ipv4 = open(kPeer);
  apply(spec);
  EXPECT_TRUE(broken(matching));
  EXPECT_TRUE(alive(excepted));
  EXPECT_TRUE(alive(ipv4));
}

TEST_F(NetReset, ThePeerGetsAResetAndListenersLive) {
  LabProcess outside(lab.net.peer_netns(), {"client", find_cgroup_root().value()});
  const int listener = std::stoi(lab.net.target().ask("listen 7100"));
  ASSERT_GE(listener, 0);
  opened_.emplace_back(&lab.net.target(), listener);
  const int outer = NetLab::open(outside, "10.99.0.1", 7100);
  const int accepted = std::stoi(lab.net.target().ask(fmt::format("accept {}", listener)));
  ASSERT_GE(accepted, 0);
  v1::FaultSpec spec = reset_spec({}, "");
  auto* port = spec.mutable_reset()->mutable_traffic()->add_local_ports();
  port->set_first(7100), port->set_last(7100);
  apply(spec);
  EXPECT_TRUE(broken(accepted));
  EXPECT_TRUE(broken(outside, outer, 1000));
  lab.net.target().ask(fmt::format("close {}", accepted));
  EXPECT_GE(NetLab::open(outside, "10.99.0.1", 7100), 0);
  const int again = std::stoi(lab.net.target().ask(fmt::format("accept {}", listener)));
  EXPECT_GE(again, 0);
  lab.net.target().ask(fmt::format("close {}", again));
}

TEST_F(NetReset, CgroupsBelowTheTargetAreTheTarget) {
  const std::string below = lab.net.cgroup_path() + "/below";
  std::filesystem::create_directory(below);
  {
    LabProcess child(lab.net.netns(), {"client", below});
    const int number = NetLab::open(child, kPeer, kPort);
    apply(reset_spec({}));
    EXPECT_TRUE(broken(child, number, 1));
  }
  shell("for i in $(seq 100); do rmdir " + below + " 2>/dev/null && break; sleep 0.02; done; ! test -d " +
        below);
}

TEST_F(NetReset, OnceIsOnceAndAgainCatchesNewOnes) {
  const int before = open(kPeer);
  apply(reset_spec({}));
  EXPECT_TRUE(broken(before));
  const int later = open(kPeer);
  EXPECT_FALSE(broken(later, 500));
  EXPECT_TRUE(alive(later));
  lab.revert();
  apply(reset_spec(milliseconds(200)));
  EXPECT_TRUE(broken(later));
  EXPECT_TRUE(broken(open(kPeer), 1000));
  EXPECT_TRUE(broken(open(kPeer), 1000));
}

TEST_F(NetReset, ItEndsAtItsDeadlineByItself) {
  apply(reset_spec(milliseconds(100)), milliseconds(800));
  EXPECT_TRUE(broken(open(kPeer), 700));
  std::this_thread::sleep_for(milliseconds(900));  // nobody calls tick()
  const int after = open(kPeer);
  EXPECT_FALSE(broken(after, 500));
  EXPECT_TRUE(alive(after));
}

TEST_F(NetReset, AShareOfTheConnectionsIsChosenByTheSeedAndStays) {
  v1::FaultSpec spec = reset_spec(milliseconds(100));
  spec.mutable_reset()->mutable_traffic()->set_share(0.5);
  spec.mutable_reset()->mutable_traffic()->set_share_of(v1::SHARE_OF_CONNECTIONS);
  spec.set_seed(77);
  constexpr int kFirst = 41000, kCount = 24;
  std::vector<int> numbers;
  for (int i = 0; i < kCount; ++i) numbers.push_back(open(kPeer, kPort, kFirst + i));
  apply(spec);
  std::this_thread::sleep_for(milliseconds(500));
  int ended = 0;
  for (int i = 0; i < kCount; ++i) {
    TcpConnection connection;
    connection.local = parse_ip_network("10.99.0.1").value();
    connection.peer = parse_ip_network(kPeer).value();
    connection.local_port = static_cast<std::uint16_t>(kFirst + i);
    connection.peer_port = kPort;
    const bool chosen = connection_dice(connection, 77) < dice_threshold(0.5);
    ended += chosen;
    EXPECT_EQ(broken(numbers[static_cast<std::size_t>(i)]), chosen) << "from port " << kFirst + i;
  }
  EXPECT_GT(ended, 0);
  EXPECT_LT(ended, kCount);
}

TEST_F(NetReset, AStartToComeIsWaitedFor) {
  const int number = open(kPeer);
  v1::ApplyRequest request = lab.request(reset_spec({}));
  const auto at = std::chrono::duration_cast<Nanos>((wall_now() + milliseconds(1200)).time_since_epoch());
  *request.mutable_start_at() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(at.count());
  ASSERT_TRUE(lab.engine.apply(request).ok());
  EXPECT_FALSE(broken(number, 400));
  EXPECT_EQ(lab.status().counters().injected(), 0u);
  EXPECT_TRUE(broken(number, 3000));
}

TEST_F(NetReset, PulsesAreRespected) {
  v1::FaultSpec spec = reset_spec(milliseconds(50));
  *spec.mutable_pulse()->mutable_on() = duration(milliseconds(300));
  *spec.mutable_pulse()->mutable_off() = duration(milliseconds(3000));
  const int before = open(kPeer);
  apply(spec);
  EXPECT_TRUE(broken(before));
  std::this_thread::sleep_for(milliseconds(400));
  const int off = open(kPeer);
  EXPECT_FALSE(broken(off, 500));
  EXPECT_TRUE(broken(off, 5000)) << "on again";
}

TEST_F(NetReset, APlanCountsAndHarmsNobody) {
  const int number = open(kPeer);
  v1::ApplyRequest request = lab.request(reset_spec({}));
  request.set_dry_run(true);
  const auto response = lab.engine.apply(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->plan().steps(0).rfind("1 of 1 TCP connections", 0), 0u) << response->plan().steps(0);
  EXPECT_TRUE(alive(number));
}

}  // namespace
}  // namespace faultline::testing
