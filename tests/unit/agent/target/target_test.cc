#include "agent/target/target.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/agent/target/cgroup_tree.h"

namespace faultline {
namespace {

using testing::CgroupTree;
using testing::IdleProcess;

struct Resolver : ::testing::Test {
  CgroupTree tree;
  IdleProcess idle;
  TargetResolver resolver = TargetResolver::over(tree.root(), {}).value();

  Resolver() { tree.put("/app/db", {idle.pid()}); }

  Status refusal(const std::string& reference) { return resolver.resolve(reference).status(); }
};

TEST_F(Resolver, ATargetKnowsItsCgroupProcessesAndNamespaces) {
  const auto target = resolver.resolve("cgroup:/app");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->asked, "cgroup:/app");
  EXPECT_EQ(target->cgroup, "/app");
  EXPECT_EQ(target->processes, std::vector<pid_t>{idle.pid()});
  EXPECT_EQ(target->describe(), "cgroup /app, 1 process");
  struct stat st {};
  ASSERT_EQ(::stat((tree.root() + "/app").c_str(), &st), 0);
  EXPECT_EQ(target->cgroup_id, st.st_ino);
  ASSERT_EQ(::stat("/proc/self/ns/net", &st), 0);
  ASSERT_EQ(target->netns.size(), 1u);
  EXPECT_EQ(target->netns[0].inode, st.st_ino);
}

TEST_F(Resolver, ProcessesOfOneNamespaceShareIt) {
  const IdleProcess second;
  tree.put("/app/db", {idle.pid(), second.pid()});
  const auto target = resolver.resolve("cgroup:/app/db");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->describe(), "cgroup /app/db, 2 processes");
  EXPECT_EQ(target->netns.size(), 1u);
}

TEST_F(Resolver, APathMayBeWrittenInSeveralWays) {
  for (const std::string& path :
       {std::string("app/db"), std::string("/app/db"), std::string("/app/db/"), std::string("//app//db"),
        std::string("/app/./db"), std::string("/x/../app/db"), tree.root() + "/app/db"}) {
    const auto target = resolver.resolve("cgroup:" + path);
    ASSERT_TRUE(target.ok()) << path << ": " << target.status();
    EXPECT_EQ(target->cgroup, "/app/db") << path;
  }
}

TEST_F(Resolver, NoPathLeadsOutOfTheHierarchy) {
  tree.put("/inner/app", {idle.pid()});
  const TargetResolver inner = TargetResolver::over(tree.root() + "/inner", {}).value();
  EXPECT_TRUE(inner.resolve("cgroup:/app").ok());
  EXPECT_EQ(inner.resolve("cgroup:../app/db").status().code(), StatusCode::kInvalidArgument);
  for (const char* path : {"cgroup:/../app/db", "cgroup:app/../../app/db"}) {
    EXPECT_FALSE(inner.resolve(path).ok()) << path;
  }
}

TEST_F(Resolver, TheRootIsProtectedHoweverItIsWritten) {
  for (const std::string& path : {std::string("/"), std::string("."), std::string("/."), std::string("//"),
                                  std::string("app/.."), tree.root(), tree.root() + "/"}) {
    EXPECT_EQ(refusal("cgroup:" + path).code(), StatusCode::kPermissionDenied) << path;
  }
}

TEST_F(Resolver, AContainerIsFoundByItsId) {
  tree.put("/docker/web-1", {idle.pid()});
  const auto target = resolver.resolve("container:web-1");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->cgroup, "/docker/web-1");
  EXPECT_EQ(refusal("container:web-2").code(), StatusCode::kNotFound);
  EXPECT_EQ(refusal("container:docker/web-1").code(), StatusCode::kInvalidArgument);
}

TEST_F(Resolver, RefusesReferencesOfNoKnownForm) {
  for (const char* reference : {"", "app", "cgroup", "cgroup:", "pid:", "container:", "pod:default/web", ":x",
                                "pid:0", "pid:-1", "pid:12x", "pid: 12", "pid:99999999999", "CGROUP:/app"}) {
    const Status status = refusal(reference);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << reference << ": " << status;
    EXPECT_NE(message_of(status).find(fmt::format("\"{}\"", reference)), std::string::npos) << status;
  }
}

TEST_F(Resolver, NothingThereIsNotFound) {
  tree.put("/app/empty", {});
  EXPECT_EQ(refusal("cgroup:/gone").code(), StatusCode::kNotFound);
  EXPECT_EQ(refusal("cgroup:/app/empty").code(), StatusCode::kNotFound);
  EXPECT_EQ(refusal("pid:99999999").code(), StatusCode::kNotFound);
  tree.put("/app/ended", {99'999'999});
  EXPECT_EQ(refusal("cgroup:/app/ended").code(), StatusCode::kNotFound);
}

TEST_F(Resolver, AProtectedPathMayBeWrittenInSeveralWays) {
  for (const std::string& protect :
       {std::string("/app/db"), std::string("app/db"), std::string("/app/db/"), std::string("/app/./db"),
        tree.root() + "/app/db", std::string("/app/")}) {
    const TargetResolver strict = TargetResolver::over(tree.root(), {protect}).value();
    const Status status = strict.resolve("cgroup:/app/db").status();
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << protect << ": " << status;
  }
  EXPECT_FALSE(TargetResolver::over(tree.root(), {"../x"}).ok());
}

TEST_F(Resolver, ATargetThatHoldsTheAgentIsRefusedByItsPath) {
  tree.put("/app/db/agent", {::getpid()});
  const Status status = refusal("cgroup:/app");
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(message_of(status).rfind("target cgroup:/app: ", 0), 0u) << status;
}

}  // namespace
}  // namespace faultline
