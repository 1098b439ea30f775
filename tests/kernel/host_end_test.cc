// Finding the host's end of a veth.
#include "agent/kernel/host_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include "tests/support/net_lab.h"
#include "tests/support/owner_process.h"
#include "tests/support/veth_lab.h"

namespace faultline::testing {
namespace {

using ::testing::HasSubstr;

struct HostEndOf : ::testing::Test {
  Device made(const std::string& name) {
    Device device{.ifindex = 0, .name = name};
    EXPECT_TRUE(run_in_netns(lab.near(), [&] {
                  device.ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
                  return ok_status();
                }).ok());
    EXPECT_GT(device.ifindex, 0);
    return device;
  }

  VethLab& lab = shared();
  const std::string ip = "ip -n " + lab.near_name() + " link add ";

 private:
  static VethLab& shared() {
    static VethLab lab;
    return lab;
  }
};

TEST_F(HostEndOf, AVethIsItsPeerInTheOtherNamespace) {
  const auto end = host_end_of(lab.near(), lab.near_device());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->netns.inode, lab.far().inode);
  EXPECT_EQ(end->device, lab.far_device());
}

TEST_F(HostEndOf, AVethMayHaveItsPeerInItsOwnNamespaceAndUnderAnyName) {
  shell(ip + "in0 type veth peer name out0");
  const auto end = host_end_of(lab.near(), made("in0"));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->netns.inode, lab.near().inode);
  EXPECT_EQ(end->device, made("out0"));
}

// As a container's is: no mount in /run/netns leads there.
TEST_F(HostEndOf, APeerInANamespaceThatOnlyAProcessHoldsIsFound) {
  OwnerProcess inhabitant([](const OwnerProcess::Hold& hold) { hold(::unshare(CLONE_NEWNET) == 0); });
  ASSERT_TRUE(inhabitant.made());
  shell(ip + "eth7 type veth peer name other netns " + std::to_string(inhabitant.pid()));
  const auto end = host_end_of(lab.near(), made("eth7"));
  inhabitant.kill();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_NE(end->netns.inode, lab.near().inode);
  EXPECT_NE(end->netns.inode, lab.far().inode);
  EXPECT_EQ(end->device.name, "other");
}

TEST_F(HostEndOf, WhatIsNoVethIsRefusedWithTheReason) {
  shell(ip + "dummy0 type dummy");
  shell(ip + "macvlan0 link eth0 type macvlan");
  for (const auto& [name, kind] : {std::pair("lo", "the loopback device"), std::pair("dummy0", "a dummy"),
                                   std::pair("macvlan0", "a macvlan")}) {
    const auto end = host_end_of(lab.near(), made(name));
    EXPECT_EQ(end.status().code(), StatusCode::kFailedPrecondition) << name;
    EXPECT_THAT(message_of(end.status()),
                HasSubstr(std::string(name) + " is " + kind + ": ingress shaping needs a veth"));
  }
}

TEST_F(HostEndOf, ADeviceThatIsGoneAndAPeerOutOfReachAreNotFound) {
  EXPECT_EQ(host_end_of(lab.near(), {.ifindex = 9999, .name = "gone"}).status().code(),
            StatusCode::kNotFound);
  const std::string hidden = "fl-hidden" + std::to_string(::getpid());
  shell("ip netns add " + hidden + " && " + ip + "eth8 type veth peer name eth8 netns " + hidden);
  const Netns held = open_netns_of(hidden);
  shell("ip netns del " + hidden);
  const auto end = host_end_of(lab.near(), made("eth8"));
  EXPECT_EQ(end.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(message_of(end.status()),
              HasSubstr("eth8: its other end is in a network namespace that no process"));
}

}  // namespace
}  // namespace faultline::testing
