// The way around a device: who goes it and arrives, whom it disturbs, and what is left of it when its maker
// is gone.
#include "agent/kernel/detour.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "agent/kernel/net_support.h"
#include "agent/kernel/net_tree.h"
#include "tests/support/kernel_test.h"
#include "tests/support/net_lab.h"
#include "tests/support/owner_process.h"
#include "tests/support/veth_lab.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint32_t kBand = 2;
constexpr std::uint32_t kSteered = kTreeHandle | kBand;
constexpr int kPackets = 20;

class DetourAround : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = NetSupport().detour();
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    clean = seen();
  }
  void TearDown() override { EXPECT_EQ(seen(), clean); }
  static void TearDownTestSuite() { lab_.reset(); }

  std::unique_ptr<NetTree> beside(const BandParams& band = NetemParams{.latency = milliseconds(200)}) {
    auto tree = NetTree::beside(lab.near(), lab.near_socket(), lab.near_device());
    EXPECT_TRUE(tree.ok()) << tree.status();
    EXPECT_TRUE((*tree)->add_band(kBand, band).ok());
    return *std::move(tree);
  }
  double delay_of(std::uint32_t priority, int size = 100) {
    const auto arrivals = lab.datagrams(priority, kPackets, 500, size, 1000);
    EXPECT_EQ(arrivals.size(), static_cast<std::size_t>(kPackets));
    return arrivals.empty() ? 0 : arrivals[arrivals.size() / 2].delay_ms;
  }
  std::string near(const std::string& command) {
    return shell("ip netns exec " + lab.near_name() + " " + command);
  }
  std::string seen() {
    return near("ip -o link show") + near("tc qdisc show") +
           near("ip -6 -o addr show | sed 's/ tentative//'") + near("nft list tables");
  }

  VethLab& lab = shared();
  std::string clean;

 private:
  static VethLab& shared() {
    if (!lab_) lab_ = std::make_unique<VethLab>();
    return *lab_;
  }
  static inline std::unique_ptr<VethLab> lab_;
};

TEST_F(DetourAround, OnlyWhatIsSteeredGoesIt) {
  const auto tree = beside();
  EXPECT_GE(delay_of(kSteered), 200);
  EXPECT_LT(delay_of(0), 100);
  EXPECT_TRUE(lab.datagrams(kTreeHandle | kNeutralBand, 3, 500, 100, 300).empty()) << "nobody is sent there";
  EXPECT_LT(delay_of(0xfa180000 | kBand), 100) << "somebody else's handle";
  EXPECT_EQ(band_qdisc(lab.near_socket(), tree->qdiscs_at(), kBand)->sent,
            static_cast<std::uint64_t>(kPackets));
}

TEST_F(DetourAround, WholeStreamsAndLargePacketsArrive) {
  shell("ip -n " + lab.near_name() + " link set eth0 mtu 9000 && ip -n " + lab.far_name() +
        " link set eth0 mtu 9000");
  {
    const auto tree = beside(NetemParams{.latency = milliseconds(1)});
    EXPECT_GT(lab.stream_rate(kSteered, 4'000'000), 0);
    EXPECT_GE(delay_of(kSteered, 8000), 1);
  }
  shell("ip -n " + lab.near_name() + " link set eth0 mtu 1500 && ip -n " + lab.far_name() +
        " link set eth0 mtu 1500");
}

TEST_F(DetourAround, NoPacketOfOthersIsLostWhileItComesAndGoes) {
  std::atomic<bool> done = false;
  std::size_t sent = 0, arrived = 0;
  std::thread others([&] {
    while (!done) {
      arrived += lab.datagrams(0, 500, 100, 100, 200).size();
      sent += 500;
    }
  });
  for (int i = 0; i < 40; ++i) beside();
  done = true;
  others.join();
  EXPECT_EQ(arrived, sent);
  RecordProperty("datagrams", std::to_string(sent));
}

TEST_F(DetourAround, HasNoAddressNoRouteAndNoPacketsOfItsOwn) {
  near("sysctl -qw net.ipv6.conf.all.forwarding=1");  // as on a router, which speaks up sooner
  const auto tree = beside();
  EXPECT_THAT(near("ip -6 -o addr show"), Not(HasSubstr("fa17")));
  std::this_thread::sleep_for(
      milliseconds(1500));  // in which IPv6 would have looked for neighbours and routers
  EXPECT_THAT(
      near("ip -6 -o addr show") + near("ip route show table all") + near("ip -6 route show table all"),
      Not(HasSubstr("fa17")));
  EXPECT_THAT(near("cat /sys/class/net/" + tree->detour()->entry().name + "/statistics/tx_packets"), "0\n");
  EXPECT_THAT(near("cat /sys/class/net/" + tree->detour()->exit().name + "/statistics/tx_packets"), "0\n");
}

TEST_F(DetourAround, ATokenBucketGoesByTheMtuThatTheDeviceHasNow) {
  const auto tree = beside();
  shell("ip -n " + lab.near_name() + " link set eth0 mtu 9000 && ip -n " + lab.far_name() +
        " link set eth0 mtu 9000");
  EXPECT_TRUE(tree->add_band(kBand + 1, TbfParams{.bytes_per_second = 1'000'000,
                                                  .burst_bytes = 1,
                                                  .max_wait = milliseconds(500)})
                  .ok());
  EXPECT_EQ(lab.datagrams(kTreeHandle | (kBand + 1), 3, 20'000, 8000, 1000).size(), 3u);
  shell("ip -n " + lab.near_name() + " link set eth0 mtu 1500 && ip -n " + lab.far_name() +
        " link set eth0 mtu 1500");
}

TEST_F(DetourAround, ThereIsOnePerDevice) {
  const auto tree = beside();
  const auto second = NetTree::beside(lab.near(), lab.near_socket(), lab.near_device());
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition) << second.status();
  EXPECT_GE(delay_of(kSteered), 200) << "the first one is still good";
}

TEST_F(DetourAround, ItsRulesBelongToItsMakerAlone) {
  const auto tree = beside();
  const std::string table = "faultline-" + std::to_string(lab.near_device().ifindex);
  EXPECT_THAT(near("nft list tables"), HasSubstr(table));
  near("nft flush ruleset || :");  // of everybody else
  EXPECT_THAT(near("nft list tables"), HasSubstr(table));
  EXPECT_GE(delay_of(kSteered), 200);
}

TEST_F(DetourAround, IsInertOnceItsProcessIsKilled) {
  OwnerProcess owner([&](const OwnerProcess::Hold& hold) {
    auto own = NetlinkSocket::open(lab.near());
    auto tree = NetTree::beside(lab.near(), *own, lab.near_device());
    hold(tree.ok() && (*tree)->add_band(kBand, NetemParams{.latency = milliseconds(200)}).ok());
  });
  ASSERT_TRUE(owner.made());
  EXPECT_GE(delay_of(kSteered), 200);
  owner.kill();
  EXPECT_LT(delay_of(kSteered), 100);
  EXPECT_EQ(near("nft list tables"), "");
  ASSERT_EQ(list_detours(lab.near_socket())->size(), 1u) << "the pair is sticky";
  EXPECT_EQ(list_detours(lab.near_socket())->front().device, lab.near_device().ifindex);
  EXPECT_TRUE(remove_detour(lab.near_socket(), lab.near_device().ifindex).ok());
  EXPECT_EQ(remove_detour(lab.near_socket(), lab.near_device().ifindex).code(), StatusCode::kNotFound);
}

TEST_F(DetourAround, APairThatIsNotOursIsLeftAlone) {
  const std::string name = detour_entry_name(lab.near_device().ifindex);
  near("ip link add " + name + " type veth peer name other");
  const std::string before = seen();
  EXPECT_EQ(remove_detour(lab.near_socket(), lab.near_device().ifindex).code(), StatusCode::kNotFound);
  EXPECT_EQ(NetTree::beside(lab.near(), lab.near_socket(), lab.near_device()).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_TRUE(list_detours(lab.near_socket())->empty());
  EXPECT_EQ(seen(), before);
  near("ip link del " + name);
}

TEST_F(DetourAround, FitsWhatHasEthernetHeadersAndLeadsAway) {
  EXPECT_TRUE(detour_fits(lab.near_socket(), lab.near_device()).value());
  EXPECT_FALSE(detour_fits(lab.near_socket(), {1, "lo"}).value());
  EXPECT_EQ(detour_fits(lab.near_socket(), {4711, "none"}).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace faultline::testing
