// Filters on real traffic, beyond what the tests of delays and resets show.
#include <gtest/gtest.h>

#include <filesystem>

#include "agent/kernel/net_rules.h"
#include "agent/kernel/tcp_connection.h"
#include "agent/target/cgroup.h"
#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A process in the network namespace of the peers, in a cgroup of its own: another target.
class OtherTarget {
 public:
  explicit OtherTarget(const std::string& netns)
      : name_("/fl-lab-other-" + std::to_string(::getpid())), path_(find_cgroup_root().value() + name_) {
    std::filesystem::create_directory(path_);
    process_ = std::make_unique<LabProcess>(netns, std::vector<std::string>{"client", path_});
  }
  ~OtherTarget() {
    process_.reset();
    for (int i = 0; i < 200 && ::rmdir(path_.c_str()) != 0 && errno == EBUSY; ++i) ::usleep(5000);
  }
  std::string ref() const { return "cgroup:" + name_; }

 private:
  std::string name_, path_;
  std::unique_ptr<LabProcess> process_;
};

class NetFilterOnTraffic : public TrafficFaultTest {
 protected:
  NetFilterOnTraffic() : TrafficFaultTest("partition") {}

  static v1::FaultSpec partition(const std::function<void(v1::NetworkFilter&)>& fill) {
    v1::FaultSpec spec;
    fill(*spec.mutable_partition()->mutable_traffic());
    return spec;
  }
  int open(const char* peer, int port, int local_port) {
    return NetLab::open(lab.net.target(), peer, port, local_port);
  }
  bool alive(int number, int wait_ms) {
    return lab.net.target().ask(fmt::format("alive {} {}", number, wait_ms)) == "1";
  }
  void close(int number) { lab.net.target().ask(fmt::format("close {}", number)); }
};

TEST_F(NetFilterOnTraffic, ExceptionsWinOverNetworks) {
  apply(partition([](v1::NetworkFilter& traffic) {
    for (const char* network : {"10.99.0.0/24", "fd99::/64"}) traffic.add_peers(network);
    for (const char* one : {kOtherPeer, "fd99::3/128"}) traffic.add_except(one);
  }));
  EXPECT_TRUE(silent(kPeer));
  EXPECT_TRUE(silent(kPeer6));
  EXPECT_TRUE(untouched(kOtherPeer));
  EXPECT_TRUE(untouched(kOtherPeer6));
}

TEST_F(NetFilterOnTraffic, WithoutPeersEverybodyButTheExceptedIsConcerned) {
  apply(partition([](v1::NetworkFilter& traffic) { traffic.add_except(kPeer6); }));
  EXPECT_TRUE(silent(kPeer));
  EXPECT_TRUE(silent(kOtherPeer6));
  EXPECT_TRUE(untouched(kPeer6));
  EXPECT_EQ(NetLab::udp(lab.net.neighbour(), kPeer, kPort, 10, 2000, 2000).received, 10u);
}

TEST_F(NetFilterOnTraffic, LocalPortsTellTheTargetsConnectionsApart) {
  const int concerned = open(kPeer, kPort, 42100);
  const int other = open(kPeer, kPort, 42200);
  const int concerned6 = open(kPeer6, kPort, 42109);
  ASSERT_TRUE(concerned >= 0 && other >= 0 && concerned6 >= 0);
  apply(partition([](v1::NetworkFilter& traffic) {
    traffic.set_protocol(v1::PROTOCOL_TCP);
    auto* ports = traffic.add_local_ports();
    ports->set_first(42100), ports->set_last(42109);
  }));
  EXPECT_FALSE(alive(concerned, 400));
  EXPECT_FALSE(alive(concerned6, 400));
  EXPECT_TRUE(alive(other, 2000));
  EXPECT_TRUE(untouched(kPeer)) << "UDP";
  lab.revert();
  for (const int number : {concerned, concerned6}) EXPECT_TRUE(alive(number, 5000));
  for (const int number : {concerned, other, concerned6}) close(number);
}

TEST_F(NetFilterOnTraffic, Ipv6ByPort) {
  apply(partition([](v1::NetworkFilter& traffic) {
    traffic.add_peers(kPeer6);
    set_ports(traffic, v1::PROTOCOL_UDP, kOtherPort, kOtherPort);
  }));
  EXPECT_TRUE(silent(kPeer6, kOtherPort));
  EXPECT_TRUE(untouched(kPeer6, kPort));
  EXPECT_TRUE(untouched(kOtherPeer6, kOtherPort));
  EXPECT_TRUE(untouched(kPeer, kOtherPort));
}

TEST_F(NetFilterOnTraffic, PingsAreIcmpOfEitherFamily) {
  const auto ping = [&](const char* peer, int wait_ms) {
    return lab.net.target().ask(fmt::format("ping {} {}", peer, wait_ms)) == "1";
  };
  for (const char* peer : {kPeer, kPeer6}) EXPECT_TRUE(ping(peer, 2000)) << peer;
  apply(partition([](v1::NetworkFilter& traffic) {
    traffic.set_protocol(v1::PROTOCOL_ICMP);
    for (const char* peer : {kPeer, kPeer6}) traffic.add_peers(peer);
  }));
  for (const char* peer : {kPeer, kPeer6}) {
    EXPECT_FALSE(ping(peer, 400)) << peer;
    EXPECT_TRUE(untouched(peer)) << peer;
  }
  for (const char* peer : {kOtherPeer, kOtherPeer6}) EXPECT_TRUE(ping(peer, 2000)) << peer;
}

TEST_F(NetFilterOnTraffic, AShareOfThePackets) {
  v1::FaultSpec spec = partition([](v1::NetworkFilter& traffic) {
    traffic.add_peers(kPeer);
    traffic.set_share(0.3);
    traffic.set_direction(v1::DIRECTION_EGRESS);
  });
  spec.set_seed(9);
  apply(spec);
  const UdpResult result = udp(kPeer, 1000, 1000, 1500);
  EXPECT_NEAR(result.loss(), 0.3, 3.3 * std::sqrt(0.3 * 0.7 / 1000));
  const v1::Counters counters = lab.revert().counters();
  EXPECT_EQ(counters.injected(), 1000 - result.rtt_ms.size());
}

TEST_F(NetFilterOnTraffic, AShareOfTheConnectionsSticksToItsFateInBothDirections) {
  constexpr int kFirst = 43000, kCount = 16;
  v1::FaultSpec spec = partition([](v1::NetworkFilter& traffic) {
    traffic.add_peers(kPeer);
    traffic.set_share(0.5);
    traffic.set_share_of(v1::SHARE_OF_CONNECTIONS);
  });
  spec.set_seed(77);
  std::vector<int> numbers;
  for (int i = 0; i < kCount; ++i) numbers.push_back(open(kPeer, kPort, kFirst + i));
  apply(spec);
  int lost = 0;
  for (int i = 0; i < kCount; ++i) {
    TcpConnection connection;
    connection.local = parse_ip_network("10.99.0.1").value();
    connection.peer = parse_ip_network(kPeer).value();
    connection.local_port = static_cast<std::uint16_t>(kFirst + i);
    connection.peer_port = kPort;
    const bool chosen = connection_dice(connection, 77) < dice_threshold(0.5);
    lost += chosen;
    const int number = numbers[static_cast<std::size_t>(i)];
    for (int again = 0; again < 2; ++again) {
      EXPECT_EQ(alive(number, chosen ? 300 : 2000), !chosen) << "from port " << kFirst + i;
    }
  }
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, kCount);
  for (const int number : numbers) close(number);
}

TEST_F(NetFilterOnTraffic, AHostNameIsLookedUpInTheTargetsHostsFile) {
  LabProcess own(lab.net.netns(), {"echo", "127.0.0.1", "7100"});
  ASSERT_TRUE(untouched("127.0.0.1", 7100));
  apply(partition([](v1::NetworkFilter& traffic) { traffic.add_peers("localhost"); }));
  EXPECT_TRUE(silent("127.0.0.1", 7100));
  EXPECT_TRUE(untouched(kPeer));
  const v1::FaultStatus status = lab.revert();
  EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
}

TEST_F(NetFilterOnTraffic, AHostNameThatNobodyKnowsIsRefusedAndLeavesNothing) {
  const std::string before = lab.net.network_state();
  const Status status =
      try_apply(partition([](v1::NetworkFilter& traffic) { traffic.add_peers("no-such-name.invalid"); }));
  EXPECT_FALSE(status.ok());
  EXPECT_NE(message_of(status).find("no-such-name.invalid"), std::string::npos) << status;
  expect_nothing_left(before, 0);
}

TEST_F(NetFilterOnTraffic, AnotherTargetIsAllItsAddressesAlsoThoseItGetsLater) {
  OtherTarget other(lab.net.peer_netns());
  const std::string later = "10.99.0.77";
  apply(partition([&](v1::NetworkFilter& traffic) { traffic.add_peers(other.ref()); }));
  EXPECT_TRUE(silent(kPeer));
  EXPECT_TRUE(silent(kOtherPeer));
  EXPECT_TRUE(silent(kPeer6));
  shell("ip -n " + lab.net.peer_netns() + " addr add " + later + "/24 dev eth0");
  {
    LabProcess there(lab.net.peer_netns(), {"echo", later, "7100"});
    EXPECT_EQ(NetLab::udp(lab.net.neighbour(), later, 7100, 10, 2000, 2000).received, 10u);
    const MonoTime give_up = mono_now() + seconds(12);
    while (!silent(later, 7100) && mono_now() < give_up) std::this_thread::sleep_for(milliseconds(200));
    EXPECT_TRUE(silent(later, 7100)) << "looked up again every 5 s";
    EXPECT_TRUE(silent(kPeer));
    lab.revert();
    EXPECT_TRUE(untouched(later, 7100));
  }
  shell("ip -n " + lab.net.peer_netns() + " addr del " + later + "/24 dev eth0");
}

TEST_F(NetFilterOnTraffic, TheNeighboursNamespaceIsTheTargetsOwn) {
  LabProcess own(lab.net.netns(), {"echo", "10.99.0.1", "7100"});
  apply(partition([&](v1::NetworkFilter& traffic) { traffic.add_peers(lab.net.target_ref()); }));
  EXPECT_TRUE(silent("10.99.0.1", 7100));
  EXPECT_TRUE(untouched(kPeer));
}

TEST_F(NetFilterOnTraffic, NamesCanBeAskedForUnlessTheirPortIsNamed) {
  const auto asking = [&](const char* how) {
    return NetLab::dns(lab.net.target(), kPeer, "db.test", how, 1, 700).rcode;
  };
  apply(partition([](v1::NetworkFilter& traffic) { traffic.add_peers(kPeer); }));
  EXPECT_TRUE(silent(kPeer));
  for (const char* how : {"udp", "sendto", "tcp"}) EXPECT_EQ(asking(how), 0) << how;
  lab.revert();
  apply(partition([](v1::NetworkFilter& traffic) {
    traffic.add_peers(kPeer);
    set_ports(traffic, v1::PROTOCOL_UDP, 53, 53);
  }));
  EXPECT_EQ(asking("udp"), -1);
  EXPECT_EQ(asking("sendto"), -1);
  EXPECT_EQ(asking("tcp"), 0);
  EXPECT_TRUE(untouched(kPeer));
}
}  // namespace
}  // namespace faultline::testing
