// What every kind of fault in the agent's table must hold. A kind without an example here fails the suite.
#include <gtest/gtest.h>

#include <thread>

#include "agent/target/cgroup.h"
#include "tests/support/fault_examples.h"
#include "tests/support/fault_lab.h"
#include "tests/support/kernel_test.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;

class FaultContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    for (const auto& kind : lab.kinds) {
      if (kind->name() != GetParam()) continue;
      const Status supported = kind->supported();
      REQUIRE_SUPPORTED(supported.ok(), message_of(supported));
    }
  }
  const FaultExample& example() const { return fault_examples().at(GetParam()); }
  const v1::FaultSpec& spec() const { return example().spec; }
  bool hit(LabProcess& who, const char* peer) const { return example().bites(who, peer); }
  Status apply(Nanos lasting = std::chrono::seconds(60)) {
    return lab.engine.apply(lab.request(spec(), "f", lasting)).status();
  }

  FaultLab lab;
};

TEST_P(FaultContract, FiresForTheTargetAndForNobodyElse) {
  ASSERT_FALSE(hit(lab.net.target(), kPeer));
  ASSERT_TRUE(apply().ok());
  EXPECT_TRUE(hit(lab.net.target(), kPeer));
  EXPECT_FALSE(hit(lab.net.target(), kOtherPeer));
  EXPECT_FALSE(hit(lab.net.neighbour(), kPeer));
  EXPECT_GT(lab.status().counters().injected(), 0u);
}

TEST_P(FaultContract, StateAfterwardsEqualsStateBefore) {
  const std::string before = lab.net.network_state();
  ASSERT_TRUE(apply().ok());
  if (example().qdiscs) {
    EXPECT_NE(lab.net.network_state(), before);
  }
  const v1::FaultStatus status = lab.revert();
  EXPECT_EQ(lab.net.network_state(), before);
  EXPECT_TRUE(status.residue_checked());
  EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
  EXPECT_TRUE(lab.journal->unsettled().empty());
  EXPECT_FALSE(hit(lab.net.target(), kPeer));
}

TEST_P(FaultContract, TheKernelEndsItAtTheDeadlineByItself) {
  // Nobody calls tick(): only the kernel can end it.
  ASSERT_TRUE(apply(milliseconds(1500)).ok());
  EXPECT_TRUE(hit(lab.net.target(), kPeer));
  std::this_thread::sleep_for(milliseconds(1600));
  EXPECT_FALSE(hit(lab.net.target(), kPeer));
  EXPECT_EQ(lab.status().state(), v1::FAULT_STATE_ACTIVE);
  lab.engine.tick();
  EXPECT_EQ(lab.status().state(), v1::FAULT_STATE_ENDED);
  EXPECT_EQ(lab.status().end_reason(), v1::END_REASON_DURATION);
  EXPECT_EQ(lab.status().residue_size(), 0);
}

TEST_P(FaultContract, WithoutRenewalItEndsWithItsLease) {
  v1::ApplyRequest request = lab.request(spec());
  *request.mutable_lease() = duration(milliseconds(2000));
  ASSERT_TRUE(lab.engine.apply(request).ok());
  v1::RenewRequest renew;
  renew.add_ids("f");
  *renew.mutable_lease() = duration(milliseconds(2000));
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(milliseconds(500));
    ASSERT_TRUE(lab.engine.renew(renew).ok());
    lab.engine.tick();
  }
  EXPECT_TRUE(hit(lab.net.target(), kPeer));  // 2.5 s on, longer than any one lease
  std::this_thread::sleep_for(milliseconds(2100));
  lab.engine.tick();
  EXPECT_EQ(lab.status().end_reason(), v1::END_REASON_LEASE);
  EXPECT_FALSE(hit(lab.net.target(), kPeer));
}

TEST_P(FaultContract, RevertIsIdempotent) {
  ASSERT_TRUE(apply().ok());
  const v1::FaultStatus first = lab.revert();
  const v1::FaultStatus second = lab.revert();
  EXPECT_EQ(first.DebugString(), second.DebugString());
  EXPECT_TRUE(apply().ok()) << "the id is free again";
}

TEST_P(FaultContract, ADryRunChangesNothing) {
  const std::string before = lab.net.network_state();
  v1::ApplyRequest request = lab.request(spec());
  request.set_dry_run(true);
  const auto response = lab.engine.apply(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_GT(response->plan().steps_size(), 0);
  EXPECT_EQ(lab.net.network_state(), before);
  EXPECT_TRUE(lab.engine.list().empty());
  EXPECT_FALSE(hit(lab.net.target(), kPeer));
}

class QdiscFaultContract : public FaultContract {};

TEST_P(QdiscFaultContract, AForeignRootQdiscIsRefusedAndLeftAlone) {
  shell("tc -n " + lab.net.netns() + " qdisc add dev eth0 root handle 1: pfifo limit 777");
  const std::string before = lab.net.network_state();
  const Status status = apply();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
  EXPECT_EQ(lab.net.network_state(), before);
  shell("tc -n " + lab.net.netns() + " qdisc del dev eth0 root");
  EXPECT_TRUE(lab.engine.list().empty());
  EXPECT_TRUE(lab.journal->unsettled().empty());
}

TEST_P(FaultContract, EndsWhenItsTargetVanishes) {
  // The same namespace, but a cgroup that can be emptied and removed under the fault.
  const std::string cgroup = find_cgroup_root().value() + "/fl-lab-vanishing";
  shell("mkdir -p " + cgroup);
  {
    LabProcess victim(lab.net.netns(), {"client", cgroup});
    v1::ApplyRequest request = lab.request(spec());
    request.set_target("cgroup:/fl-lab-vanishing");
    const auto applied = lab.engine.apply(request);
    ASSERT_TRUE(applied.ok()) << applied.status();
  }
  shell("for i in $(seq 100); do rmdir " + cgroup + " 2>/dev/null && break; sleep 0.02; done; ! test -d " +
        cgroup);
  lab.engine.tick();
  EXPECT_EQ(lab.status().end_reason(), v1::END_REASON_TARGET_GONE);
  EXPECT_EQ(lab.status().residue_size(), 0) << lab.status().DebugString();
  EXPECT_EQ(lab.net.network_state().find("fa17"), std::string::npos);
}

std::vector<std::string> kinds_with_qdiscs() {
  std::vector<std::string> names;
  for (const auto& [name, example] : fault_examples()) {
    if (example.qdiscs) names.push_back(name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(EveryKindWithQdiscs, QdiscFaultContract, ::testing::ValuesIn(kinds_with_qdiscs()),
                         test_name);

INSTANTIATE_TEST_SUITE_P(EveryKind, FaultContract, ::testing::ValuesIn(kinds_of_the_table()), test_name);

}  // namespace
}  // namespace faultline::testing
