// Peers looked up as a container would: with its own files, from inside its network namespace, at a name
// server there.
#include "agent/target/peer_lookup.h"
#include "agent/target/peer_form.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "agent/target/cgroup.h"
#include "common/clock.h"
#include "tests/support/net_lab.h"
#include "tests/support/owner_process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/veth_lab.h"

namespace faultline::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// Answers at 127.0.0.1:53 of a namespace: "db.example" and "both.inside.example" have an A and an AAAA,
// "four.example" has an A only, "silent.example" is never answered, nothing else is known.
class TinyNameServer {
 public:
  explicit TinyNameServer(const Netns& netns) : socket_(socket_in(netns, SOCK_DGRAM)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(53);
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&own), sizeof own) != 0)
      throw std::runtime_error("bind");
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  int asked() const { return asked_; }

 private:
  void serve(const std::stop_token& stop) {
    pollfd p{socket_.get(), POLLIN, 0};
    while (!stop.stop_requested()) {
      unsigned char data[512];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      if (::poll(&p, 1, 20) != 1) continue;
      const ssize_t n =
          ::recvfrom(socket_.get(), data, sizeof data, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 17) continue;
      ++asked_;
      const std::string answer = answer_to({reinterpret_cast<char*>(data), static_cast<std::size_t>(n)});
      if (answer.empty()) continue;
      ::sendto(socket_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  static std::string answer_to(const std::string& query) {
    std::string name;
    std::size_t at = 12;
    for (std::size_t n; (n = static_cast<unsigned char>(query[at])) != 0; at += n + 1) {
      name += (name.empty() ? "" : ".") + query.substr(at + 1, n);
    }
    const bool v6 = query[at + 2] == 28;
    if (name == "silent.example") return {};
    const bool both = name == "db.example" || name == "both.inside.example";
    const bool known = both || name == "four.example";
    const bool found = both || (known && !v6);
    std::string answer = query.substr(0, at + 5);  // header and question, without additional records
    answer[2] = '\x81';
    answer[3] = known ? '\x80' : '\x83';  // 3: no such name
    std::memcpy(answer.data() + 6, found ? "\0\1\0\0\0\0" : "\0\0\0\0\0\0", 6);
    if (!found) return answer;
    answer += std::string("\xc0\x0c\0", 3) + (v6 ? '\x1c' : '\1') + std::string("\0\1\0\0\0\x1e\0", 7);
    if (!v6) return answer + std::string("\x04\x0a\x01\x02\x03", 5);
    return answer + std::string("\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03", 17);
  }

  UniqueFd socket_;
  std::atomic<int> asked_ = 0;
  std::jthread thread_;
};

// A process in a root folder, a cgroup and a network namespace of its own, as a container's is.
class Container {
 public:
  Container(const Netns& netns, const std::string& root)
      : name_("fl-peer-" + std::to_string(::getpid())), directory_(find_cgroup_root().value() + "/" + name_) {
    std::filesystem::create_directory(directory_);
    process_.emplace([&](const OwnerProcess::Hold& hold) {
      std::ofstream(directory_ + "/cgroup.procs") << ::getpid() << std::flush;
      hold(::setns(netns.fd.get(), CLONE_NEWNET) == 0 && ::chroot(root.c_str()) == 0 && ::chdir("/") == 0);
    });
    if (!process_->made()) throw std::runtime_error("no container");
  }
  ~Container() {
    process_->kill();
    for (int i = 0; i < 200 && ::rmdir(directory_.c_str()) != 0 && errno == EBUSY; ++i) ::usleep(5000);
  }
  std::string reference() const { return "cgroup:" + name_; }
  pid_t pid() const { return process_->pid(); }

 private:
  std::string name_, directory_;
  std::optional<OwnerProcess> process_;
};

class PeerLookupOf : public ::testing::Test {
 protected:
  PeerLookupOf() {
    write("root/etc/hosts", "127.0.0.1 localhost\n10.7.7.7 inhosts\n");
    write("root/etc/resolv.conf",
          "nameserver 127.0.0.1\nsearch none.example inside.example\noptions ndots:2\n");
    container = std::make_unique<Container>(lab().near(), folder.path() + "/root");
    target = targets.resolve(container->reference()).value();
  }
  static void TearDownTestSuite() { lab_.reset(); }

  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder.path() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::remove(path);
    std::ofstream(path) << text;
  }
  std::vector<std::string> addresses(const std::string& peer) {
    const auto found = lookup.lookup(peer, target, {});
    EXPECT_TRUE(found.ok()) << found.status();
    std::vector<std::string> texts;
    if (found.ok()) std::transform(found->begin(), found->end(), std::back_inserter(texts), to_string);
    return texts;
  }
  static VethLab& lab() {
    if (!lab_) lab_ = std::make_unique<VethLab>();  // slow under emulation
    return *lab_;
  }
  static inline std::unique_ptr<VethLab> lab_;

  TempDir folder;
  TinyNameServer server{lab().near()};
  TargetResolver targets = TargetResolver::make({}).value();
  PeerLookup lookup{targets};
  std::unique_ptr<Container> container;
  Target target;
};

TEST_F(PeerLookupOf, ANameIsLookedUpInTheTargetsHostsFileFirst) {
  EXPECT_THAT(addresses("inhosts"), UnorderedElementsAre("10.7.7.7/32"));
  EXPECT_EQ(server.asked(), 0);
}

TEST_F(PeerLookupOf, TheProcessesThatTheTargetHasNowAreAsked) {
  target.processes = {::getpid()};  // as if its number had become somebody else's
  EXPECT_THAT(addresses("inhosts"), UnorderedElementsAre("10.7.7.7/32"));
}

TEST_F(PeerLookupOf, ANameIsAskedForInsideTheTargetsNamespaceInBothFamilies) {
  EXPECT_THAT(addresses("db.example."), UnorderedElementsAre("10.1.2.3/32", "fd00::3/128"));
  EXPECT_THAT(addresses("db.example"), UnorderedElementsAre("10.1.2.3/32", "fd00::3/128"));
  EXPECT_THAT(addresses("four.example"), UnorderedElementsAre("10.1.2.3/32"));
}

TEST_F(PeerLookupOf, AShortNameIsCompletedByTheTargetsSearchList) {
  EXPECT_THAT(addresses("both"), UnorderedElementsAre("10.1.2.3/32", "fd00::3/128"));
}

TEST_F(PeerLookupOf, AnUnknownNameIsNotFoundAndTheServersAreNamed) {
  const Status status = lookup.lookup("nobody.example", target, {}).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(message_of(status), HasSubstr("host name \"nobody.example\" has no address (asked 127.0.0.1)"));
}

TEST_F(PeerLookupOf, AServerThatIsSilentCostsTwoSecondsAtMost) {
  const MonoTime start = mono_now();
  const Status status = lookup.lookup("silent.example.", target, {}).status();
  EXPECT_LT(mono_now() - start, milliseconds(2800));
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(message_of(status), HasSubstr("no answer in time (asked 127.0.0.1)"));
}

TEST_F(PeerLookupOf, AStopEndsIt) {
  std::stop_source stop;
  std::jthread stopping([&] {
    std::this_thread::sleep_for(milliseconds(100));
    stop.request_stop();
  });
  const MonoTime start = mono_now();
  const Status status = lookup.lookup("silent.example.", target, stop.get_token()).status();
  EXPECT_LT(mono_now() - start, milliseconds(1000));
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
}

TEST_F(PeerLookupOf, NoLinkLeadsOutOfTheTargetsRoot) {
  write("outside/resolv.conf", "nameserver 192.0.2.1\n");
  write("root/outside/resolv.conf", "nameserver 127.0.0.1\n");
  std::filesystem::remove(folder.path() + "/root/etc/resolv.conf");
  std::filesystem::create_symlink("../../outside/resolv.conf", folder.path() + "/root/etc/resolv.conf");
  EXPECT_THAT(addresses("four.example."), UnorderedElementsAre("10.1.2.3/32"));
}

TEST_F(PeerLookupOf, ATargetWithoutFilesAsksItsOwnLoopback) {
  std::filesystem::remove_all(folder.path() + "/root/etc");
  EXPECT_THAT(addresses("four.example"), UnorderedElementsAre("10.1.2.3/32"));
}

TEST_F(PeerLookupOf, AnEndlessFileIsRefused) {
  write("root/etc/hosts", std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(lookup.lookup("inhosts", target, {}).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(PeerLookupOf, AnotherTargetIsTheAddressesOfItsNamespace) {
  shell("ip -n " + lab().near_name() + " addr replace fd98::1/64 dev eth0 nodad");
  shell("ip -n " + lab().near_name() + " addr replace 169.254.7.7/16 dev eth0");
  EXPECT_THAT(addresses(container->reference()), UnorderedElementsAre("10.98.0.1/32", "fd98::1/128"));
  EXPECT_THAT(addresses("pid:" + std::to_string(container->pid())),
              UnorderedElementsAre("10.98.0.1/32", "fd98::1/128"));
  EXPECT_EQ(lookup.lookup("container:fl-none", target, {}).status().code(), StatusCode::kNotFound);
}

TEST_F(PeerLookupOf, WhatIsFixedIsItself) {
  EXPECT_THAT(addresses("10.0.0.0/8"), UnorderedElementsAre("10.0.0.0/8"));
  EXPECT_TRUE(is_fixed_peer("fd00::1"));
  EXPECT_FALSE(is_fixed_peer("db.example"));
  EXPECT_FALSE(is_fixed_peer("pid:1"));
}

TEST_F(PeerLookupOf, WhatHasNoFormOfAPeerIsRefusedBeforeAnybodyIsAsked) {
  for (const char* peer :
       {"", "10.0.0.300", "10.0.0.1/8", "10.0.0.0/33", "fd00::/200", "a b", "shell:x", "a..b"}) {
    EXPECT_EQ(check_peer(peer).code(), StatusCode::kInvalidArgument) << peer;
    EXPECT_EQ(lookup.lookup(peer, target, {}).status().code(), StatusCode::kInvalidArgument) << peer;
  }
  EXPECT_EQ(server.asked(), 0);
}

}  // namespace
}  // namespace faultline::testing
