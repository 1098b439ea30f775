// Filters on the tree: who chooses the band, and what is left of that when the chooser's process is gone.
#include "agent/kernel/tree_filter.h"

#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <chrono>
#include <thread>

#include "agent/kernel/band_qdisc.h"
#include "agent/kernel/filter_stub.h"
#include "agent/kernel/net_support.h"
#include "tests/support/kernel_test.h"
#include "tests/support/owner_process.h"
#include "tests/support/veth_lab.h"

namespace faultline::testing {
namespace {

constexpr std::uint32_t kBand = 3;
constexpr std::uint32_t kFilter = 1;
constexpr int kPackets = 20;

// A program that gives every packet this class.
UniqueFd always(std::uint32_t classid) {
  const bpf_insn code[] = {{.code = BPF_ALU | BPF_MOV | BPF_K,
                            .dst_reg = BPF_REG_0,
                            .src_reg = 0,
                            .off = 0,
                            .imm = static_cast<int>(classid)},
                           {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  UniqueFd fd(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "always", "GPL", code, std::size(code), nullptr));
  EXPECT_TRUE(fd.valid()) << std::strerror(errno);
  return fd;
}

// A tree whose band kBand swallows everything.
class TreeFilterOn : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status supported = NetSupport().band(NetemParams{});
    REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    ASSERT_TRUE(add_tree(socket, ifindex).ok());
    ASSERT_TRUE(add_band_qdisc(socket, ifindex, kBand, BlackholeParams{}).ok());
  }
  void TearDown() override { EXPECT_TRUE(remove_tree(socket, ifindex).ok()); }
  static void TearDownTestSuite() { lab_.reset(); }

  void add(int program_fd, std::uint32_t handle = kFilter) {
    const Status added = add_tree_filter(socket, ifindex, handle, program_fd, "fl_test");
    ASSERT_TRUE(added.ok()) << added;
  }
  std::size_t arrivals() { return lab.datagrams(0, kPackets, 500, 100, 100).size(); }
  std::uint32_t swallowed() { return band_qdisc(socket, ifindex, kBand)->drops; }

  VethLab& lab = shared();
  NetlinkSocket& socket = lab.near_socket();
  const int ifindex = lab.near_device().ifindex;

 private:
  static VethLab& shared() {
    if (!lab_) lab_ = std::make_unique<VethLab>();  // slow under emulation
    return *lab_;
  }
  static inline std::unique_ptr<VethLab> lab_;
};

TEST_F(TreeFilterOn, ThePacketGoesIntoTheBandThatTheProgramReturns) {
  const UniqueFd program = always(kTreeHandle | kBand);
  add(program.get());
  EXPECT_EQ(arrivals(), 0u);
  EXPECT_GE(swallowed(), static_cast<std::uint32_t>(kPackets));
  ASSERT_TRUE(remove_tree_filter(socket, ifindex, kFilter).ok());
  EXPECT_EQ(arrivals(), static_cast<std::size_t>(kPackets));
}

TEST_F(TreeFilterOn, AProgramThatReturnsZeroLeavesThePacketToTheNextFilterAndTheTree) {
  const UniqueFd none = always(0);
  add(none.get());
  EXPECT_EQ(arrivals(), static_cast<std::size_t>(kPackets));
  const UniqueFd program = always(kTreeHandle | kBand);
  add(program.get(), kFilter + 1);
  EXPECT_EQ(arrivals(), 0u);
}

TEST_F(TreeFilterOn, AreListedByHandleNameAndProgramAndGoWithTheTree) {
  const UniqueFd program = always(0);
  add(program.get(), 7);
  add(program.get(), 2);
  bpf_prog_info info{};
  __u32 size = sizeof info;
  ASSERT_EQ(bpf_obj_get_info_by_fd(program.get(), &info, &size), 0);
  const auto filters = list_tree_filters(socket, ifindex);
  ASSERT_TRUE(filters.ok()) << filters.status();
  ASSERT_EQ(filters->size(), 2u);
  EXPECT_EQ((*filters)[0].handle, 2u);
  EXPECT_EQ((*filters)[1].handle, 7u);
  EXPECT_EQ((*filters)[1].name, "fl_test");
  EXPECT_EQ((*filters)[1].program_id, info.id);
  EXPECT_THAT(lab.tc("filter show parent fa17: "), ::testing::HasSubstr("fl_test"));
  EXPECT_EQ(add_tree_filter(socket, ifindex, 7, program.get(), "other").code(), StatusCode::kAlreadyExists);

  ASSERT_TRUE(remove_tree(socket, ifindex).ok());
  EXPECT_TRUE(list_tree_filters(socket, ifindex)->empty());
  EXPECT_EQ(remove_tree_filter(socket, ifindex, 7).code(), StatusCode::kNotFound);
  EXPECT_FALSE(add_tree_filter(socket, ifindex, 7, program.get(), "fl_test").ok());
  ASSERT_TRUE(add_tree(socket, ifindex).ok());
  EXPECT_TRUE(list_tree_filters(socket, ifindex)->empty());
  EXPECT_EQ(remove_tree_filter(socket, ifindex, 7).code(), StatusCode::kNotFound);
}

TEST_F(TreeFilterOn, AStubHasTheEffectOfWhatItPointsToAndNoneByItself) {
  const auto stub = FilterStub::make();
  ASSERT_TRUE(stub.ok()) << stub.status();
  add((*stub)->program_fd());
  EXPECT_EQ(arrivals(), static_cast<std::size_t>(kPackets));
  ASSERT_TRUE((*stub)->point_to(always(kTreeHandle | kBand).get()).ok());
  EXPECT_EQ(arrivals(), 0u);
  ASSERT_TRUE((*stub)->point_to_nothing().ok());
  ASSERT_TRUE((*stub)->point_to_nothing().ok());
  EXPECT_EQ(arrivals(), static_cast<std::size_t>(kPackets));
}

TEST_F(TreeFilterOn, AStubIsInertOnceItsProcessIsKilled) {
  OwnerProcess owner([&](const OwnerProcess::Hold& hold) {
    auto own = NetlinkSocket::open(lab.near());
    auto stub = FilterStub::make();
    hold(own.ok() && stub.ok() && (*stub)->point_to(always(kTreeHandle | kBand).get()).ok() &&
         add_tree_filter(*own, ifindex, kFilter, (*stub)->program_fd(), "fl_test").ok());
  });
  ASSERT_TRUE(owner.made());
  EXPECT_EQ(arrivals(), 0u);
  owner.kill();
  // The kernel empties the table from a work queue: at once, but not before the process is gone.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(arrivals(), static_cast<std::size_t>(kPackets));
  EXPECT_EQ(list_tree_filters(socket, ifindex)->size(), 1u) << "sticky, but inert";
}

}  // namespace
}  // namespace faultline::testing
