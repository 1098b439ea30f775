#include "controller/experiment/overlap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/experiment/experiment_file.h"

namespace faultline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The overlaps of a method in flow YAML. A fault is written as NAME{rest}: target cgroup:/x, for 10 s.
std::vector<Overlap> overlaps_of(Experiment& experiment, const std::string& method) {
  const std::string text =
      "apiVersion: faultline/v1\nkind: Experiment\nname: x\n"
      "steadyState: { probes: [ { name: p, tcp: { address: 'h:1' } } ] }\nmethod: [ " +
      method + " ]\n";
  experiment = parse_experiment(text, "x").value();
  return overlaps(experiment);
}

std::string fault(const std::string& name, const std::string& keys, const std::string& target = "cgroup:/x") {
  return "{ fault: { name: " + name + ", target: '" + target + "', for: 10s, " + keys + " } }";
}

std::vector<std::string> texts(const std::string& method) {
  Experiment experiment;
  std::vector<std::string> all;
  for (const Overlap& overlap : overlaps_of(experiment, method)) all.push_back(overlap.text);
  return all;
}

// Two faults a and b side by side on one target, told by their kinds.
std::vector<std::string> side_by_side(const std::string& a, const std::string& b) {
  return texts("{ parallel: [ " + fault("a", a) + ", " + fault("b", b) + " ] }");
}

TEST(Overlap, OnlyStepsOfDifferentBranchesMeet) {
  const std::string a = fault("a", "reject: {}");
  const std::string b = fault("b", "reject: {}");
  const std::string c = fault("c", "reject: {}");
  EXPECT_THAT(texts(a + ", " + b), IsEmpty());
  EXPECT_THAT(texts("{ parallel: [ { serial: [ " + a + ", " + b + " ] } ] }"), IsEmpty());
  EXPECT_EQ(texts("{ parallel: [ " + a + ", " + b + " ] }").size(), 1U);
  EXPECT_EQ(texts("{ together: [ " + a + ", " + b + " ] }").size(), 1U);
  EXPECT_EQ(texts("{ parallel: [ { serial: [ " + a + ", " + b + " ] }, " + c + " ] }").size(), 2U)
      << "a-c, b-c";
  EXPECT_EQ(
      texts("{ parallel: [ { serial: [ { wait: 1s }, " + a + " ] }, { serial: [ " + b + " ] } ] }").size(),
      1U);
  EXPECT_THAT(texts("{ parallel: [ " + a + " ] }, { parallel: [ " + b + " ] }"), IsEmpty());
}

TEST(Overlap, TheHigherPriorityHasThePackets) {
  EXPECT_THAT(side_by_side("priority: 5, reject: {}", "priority: -2, loss: { every: 2 }"),
              ElementsAre("a and b match the same packets; a has them: its priority is 5, the other's -2"));
  EXPECT_THAT(side_by_side("reject: {}", "priority: 1, loss: { every: 2 }"),
              ElementsAre("a and b match the same packets; b has them: its priority is 1, the other's 0"));
}

TEST(Overlap, OfEqualOnesTheEarlierApplied) {
  Experiment experiment;
  const std::string a = fault("a", "reject: {}");
  const std::string b = fault("b", "reject: {}");
  std::vector<Overlap> found =
      overlaps_of(experiment, "{ parallel: [ { serial: [ { wait: 1s }, " + a + " ] }, " + b + " ] }");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].winner, found[0].second);
  EXPECT_EQ(found[0].winner->name, "b");
  EXPECT_EQ(found[0].text, "a and b match the same packets; b has them: it is applied first");

  found = overlaps_of(experiment, "{ parallel: [ " + a + ", " + b + " ] }");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].winner, nullptr);
  EXPECT_TRUE(found[0].certain);
  EXPECT_THAT(found[0].text, HasSubstr("the one applied first has them, and which that is is open"));
}

TEST(Overlap, KindsCompeteOnlyForTheSameThing) {
  EXPECT_EQ(side_by_side("delay: { latency: 1ms }", "partition: {}").size(), 1U);
  EXPECT_THAT(side_by_side("delay: { latency: 1ms }", "connect-error: { error: EACCES }"), IsEmpty());
  EXPECT_THAT(side_by_side("reset: {}", "partition: {}"), IsEmpty());
  EXPECT_THAT(side_by_side("dns: { answer: timeout }", "partition: {}"), IsEmpty());
  EXPECT_THAT(side_by_side("reset: {}", "reset: { every: 1s }"),
              ElementsAre(HasSubstr("match the same connections;")));
  EXPECT_THAT(side_by_side("connect-error: { error: EACCES }", "connect-error: { error: ETIMEDOUT }"),
              ElementsAre(HasSubstr("match the same connection attempts;")));
}

TEST(Overlap, QueriesMeetByTheirNames) {
  const auto dns = [](const std::string& names) { return "dns: { answer: timeout" + names + " }"; };
  EXPECT_THAT(side_by_side(dns(""), dns(", names: [a.example]")),
              ElementsAre(HasSubstr("b match the same queries")));
  EXPECT_THAT(side_by_side(dns(", names: [b, a]"), dns(", names: [a]")),
              ElementsAre(HasSubstr("b match the same queries")));
  EXPECT_THAT(side_by_side(dns(", names: ['*.example']"), dns(", names: [a.example]")),
              ElementsAre(HasSubstr("b may match the same queries; where they do, ")));
}

TEST(Overlap, TargetsMayBeTheSameUnderOtherNames) {
  const auto on = [](const std::string& one, const std::string& other) {
    return texts("{ parallel: [ " + fault("a", "priority: 1, reject: {}", one) + ", " +
                 fault("b", "reject: {}", other) + " ] }");
  };
  EXPECT_THAT(on("cgroup:/a", "cgroup:/b"), IsEmpty());
  EXPECT_THAT(on("cgroup:/a/b", "cgroup:/a/bc"), IsEmpty());
  EXPECT_THAT(on("cgroup:/a/b", "cgroup:a//b/"), ElementsAre(HasSubstr("a and b match the same packets;")));
  EXPECT_THAT(
      on("cgroup:/a", "pid:7"),
      ElementsAre("a and b may match the same packets, should their targets be the same; where they do, a "
                  "has them: its priority is 1, the other's 0"));
  for (const char* other : {"cgroup:/a", "cgroup:/a/b/c", "cgroup:/b", "container:x", "pid:1"}) {
    EXPECT_THAT(on("cgroup:/a/b", other), ElementsAre(HasSubstr("may match"))) << other;
  }
}

struct Pair {
  const char* a;
  const char* b;
};

std::vector<std::string> with_traffic(const Pair& pair) {
  const auto of = [](const char* traffic) {
    return *traffic == '\0' ? std::string("reject: {}")
                            : std::string("partition: { traffic: { ") + traffic + " } }";
  };
  return side_by_side(of(pair.a), of(pair.b));
}

TEST(Overlap, FiltersThatCannotMatchOnePacket) {
  for (const Pair& pair : {Pair{"peers: [10.0.0.1]", "peers: [10.0.0.2]"},
                           {"peers: [10.0.0.0/25]", "peers: [10.0.0.128/25, 'fd00::/64']"},
                           {"peers: [10.0.0.1]", "except: [10.0.0.0/24]"},
                           {"peers: [10.0.0.0/24]", "except: [10.0.0.0/25, 10.0.0.128/25]"},
                           {"peers: [h]", "except: [h]"},
                           {"peers: ['container:db']", "except: ['container:db']"},
                           {"peers: ['fd00::/64']", "peers: [0.0.0.0/0]"},
                           {"protocol: tcp", "protocol: udp"},
                           {"protocol: tcp, ports: [80]", "protocol: tcp, ports: [81-90]"},
                           {"protocol: tcp, localPorts: [80]", "protocol: tcp, localPorts: [81]"},
                           {"direction: ingress", "direction: egress"},
                           {"", "direction: ingress"}}) {
    EXPECT_THAT(with_traffic(pair), IsEmpty()) << pair.a << " | " << pair.b;
  }
}

TEST(Overlap, FiltersThatMatchOnePacketForSure) {
  for (const Pair& pair : {Pair{"peers: [10.0.0.1]", "peers: [10.0.0.0/24]"},
                           {"peers: [10.0.0.0/8]", "peers: [10.1.0.0/16], except: [10.1.2.3]"},
                           {"peers: [10.0.0.0/24]", "except: [10.0.0.0/25, h]"},
                           {"protocol: tcp", "peers: [h]"},
                           {"peers: [h]", "peers: [h, 10.0.0.1]"},
                           {"peers: ['pid:7']", "peers: ['pid:7']"},
                           {"protocol: any", "protocol: tcp, ports: [80]"},
                           {"protocol: tcp, ports: [1-80]", "protocol: tcp, ports: [80-90]"},
                           {"protocol: tcp, ports: [80]", "protocol: tcp, localPorts: [80]"},
                           {"direction: ingress", "direction: both"},
                           {"", "direction: egress"},
                           {"", ""}}) {
    EXPECT_THAT(with_traffic(pair), ElementsAre(HasSubstr("a and b match the same packets;")))
        << pair.a << " | " << pair.b;
  }
}

TEST(Overlap, FiltersOfWhichNobodyKnowsYet) {
  for (const Pair& pair : {Pair{"peers: [h]", "peers: [10.0.0.1]"},
                           {"peers: [h]", "peers: [g]"},
                           {"peers: ['container:db']", "peers: [h]"},
                           {"peers: [h]", "except: [10.0.0.0/8]"},
                           {"peers: [10.0.0.1]", "except: [h]"}}) {
    EXPECT_THAT(with_traffic(pair),
                ElementsAre(HasSubstr("a and b may match the same packets; where they do, ")))
        << pair.a << " | " << pair.b;
  }
}

}  // namespace
}  // namespace faultline
