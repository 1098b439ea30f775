#include "agent/target/cgroup.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/unique_fd.h"
#include "tests/support/temp_dir.h"

#include "tests/unit/agent/target/cgroup_tree.h"

namespace faultline {
namespace {

using testing::CgroupTree;
using ::testing::UnorderedElementsAre;

const std::string kId = "4f5a9c0de1b24f5a9c0de1b24f5a9c0de1b24f5a9c0de1b24f5a9c0de1b24f5a";

TEST(CgroupIds, AreThoseOfTheCgroupAndAllBelow) {
  const testing::TempDir dir;
  namespace fs = std::filesystem;
  fs::create_directories(dir.path() + "/a/b/c");
  fs::create_directories(dir.path() + "/other");
  std::ofstream(dir.path() + "/a/cgroup.procs") << "";
  const auto id = [&](const std::string& path) {
    struct stat st {};
    EXPECT_EQ(::stat((dir.path() + path).c_str(), &st), 0);
    return st.st_ino;
  };
  const UniqueFd fd(::open((dir.path() + "/a").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto ids = cgroup_ids_below(fd.get());
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_THAT(*ids, UnorderedElementsAre(id("/a"), id("/a/b"), id("/a/b/c")));
}

TEST(NamesContainer, KnowsHowEnginesWrapTheId) {
  for (const char* wrapped : {"{}", "docker-{}.scope", "cri-containerd-{}.scope", "crio-{}.scope",
                              "libpod-{}.scope", "crun-{}.scope", "{}.scope"}) {
    EXPECT_TRUE(names_container(fmt::format(fmt::runtime(wrapped), kId), kId)) << wrapped;
  }
}

TEST(NamesContainer, TakesNamesThatAreNoHexadecimalIds) {
  EXPECT_TRUE(names_container("fl-demo-gateway", "fl-demo-gateway"));
  EXPECT_TRUE(names_container("crun-fl-demo-gateway.scope", "fl-demo-gateway"));
  EXPECT_TRUE(names_container("crun-db", "crun-db")) << "the id itself may look wrapped";
  EXPECT_FALSE(names_container("fl-demo-gateway-2", "fl-demo-gateway"));
  EXPECT_FALSE(names_container("fl-demo", "fl-demo-gateway"));
}

TEST(NamesContainer, TakesAShortenedIdOfTwelveDigitsOrMore) {
  EXPECT_TRUE(names_container("docker-" + kId + ".scope", kId.substr(0, 12)));
  EXPECT_TRUE(names_container(kId, kId.substr(0, 40)));
  EXPECT_FALSE(names_container(kId, kId.substr(0, 11)));
  EXPECT_FALSE(names_container(kId, kId.substr(1, 12)));
  EXPECT_FALSE(names_container(kId.substr(0, 12), kId)) << "the directory's name may not be the short one";
}

TEST(NamesContainer, LeavesTheEnginesOwnProcessesAlone) {
  EXPECT_FALSE(names_container("libpod-conmon-" + kId + ".scope", kId));
  EXPECT_FALSE(names_container("crio-conmon-" + kId + ".scope", kId));
  EXPECT_FALSE(names_container("system.slice", kId));
  EXPECT_FALSE(names_container("", kId));
}

TEST(ProcessesBelow, AreThoseOfTheCgroupAndOfEverythingUnderIt) {
  CgroupTree tree;
  tree.put("/app", {11, 12});
  tree.put("/app/worker/inner", {13});
  tree.put("/app/empty", {});
  tree.put("/application", {99});
  EXPECT_THAT(*processes_below(tree.root(), "/app"), UnorderedElementsAre(11, 12, 13));
  EXPECT_THAT(*processes_below(tree.root(), "/app/worker"), UnorderedElementsAre(13));
  EXPECT_TRUE(processes_below(tree.root(), "/app/empty")->empty());
}

TEST(ProcessesBelow, LeaveOutThoseOfOtherPidNamespaces) {
  CgroupTree tree;
  tree.put("/app", {0, 11, 0, 12});  // the kernel shows such a process as 0
  EXPECT_THAT(*processes_below(tree.root(), "/app"), UnorderedElementsAre(11, 12));
}

TEST(ProcessesBelow, AMissingCgroupIsNotFound) {
  CgroupTree tree;
  EXPECT_EQ(processes_below(tree.root(), "/gone").status().code(), StatusCode::kNotFound);
}

TEST(CgroupOfContainer, IsFoundHoweverDeepItLies) {
  CgroupTree tree;
  const std::string path = "/kubepods.slice/kubepods-pod7.slice/cri-containerd-" + kId + ".scope";
  tree.put(path, {11});
  tree.put("/kubepods.slice/kubepods-pod8.slice/cri-containerd-" + std::string(64, 'a') + ".scope", {12});
  EXPECT_EQ(*cgroup_of_container(tree.root(), kId), path);
  EXPECT_EQ(*cgroup_of_container(tree.root(), kId.substr(0, 12)), path);
}

TEST(CgroupOfContainer, CgroupsWithinTheContainerAreItsOwn) {
  CgroupTree tree;
  tree.put("/docker/" + kId + "/" + kId, {11});
  EXPECT_EQ(*cgroup_of_container(tree.root(), kId), "/docker/" + kId);
}

TEST(CgroupOfContainer, RefusesToGuessBetweenTwo) {
  CgroupTree tree;
  tree.put("/a/" + kId.substr(0, 20) + std::string(44, '1'), {11});
  tree.put("/b/" + kId.substr(0, 20) + std::string(44, '2'), {12});
  const auto found = cgroup_of_container(tree.root(), kId.substr(0, 12));
  EXPECT_EQ(found.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(message_of(found.status()).find("ambiguous"), std::string::npos);
}

TEST(CgroupOfContainer, AMissingContainerIsNotFound) {
  CgroupTree tree;
  tree.put("/app", {11});
  EXPECT_EQ(cgroup_of_container(tree.root(), kId).status().code(), StatusCode::kNotFound);
}

TEST(CgroupOfProcess, AMissingProcessIsNotFound) {
  EXPECT_EQ(cgroup_of_process(99'999'999).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace faultline
