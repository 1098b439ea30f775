#include "agent/dns/rules.h"

#include <gtest/gtest.h>

#include "tests/support/lab_dns.h"

namespace faultline {
namespace {

using std::chrono::seconds;
using testing::dns_question;

const MonoTime kNow{seconds(1000)};

DnsRule rule(std::vector<std::string> names, DnsEffect effect = DnsEffect::kNxdomain, int priority = 0) {
  DnsRule rule;
  for (const std::string& name : names) rule.names.push_back(NamePattern::parse(name).value());
  rule.effect = effect;
  rule.selection.chance = 1ull << 32;
  rule.priority = priority;
  rule.schedule.start_ns = ktime_ns(kNow - seconds(10));
  rule.schedule.deadline_ns = ktime_ns(kNow + seconds(10));
  return rule;
}

DnsVerdict ask(DnsRules& rules, const std::string& name, MonoTime now = kNow, unsigned type = 1) {
  return rules.decide(dns_question(1, name, type), now);
}

TEST(DnsRules, ForwardsWhatNoRuleNames) {
  DnsRules rules;
  EXPECT_EQ(ask(rules, "a.test").what, DnsVerdict::kForward);
  rules.add(0, rule({"a.test"}));
  EXPECT_EQ(ask(rules, "a.test").what, DnsVerdict::kAnswer);
  EXPECT_EQ(ask(rules, "b.test").what, DnsVerdict::kForward);
  EXPECT_EQ(rules.decide("no message", kNow).what, DnsVerdict::kForward);
}

TEST(DnsRules, ARuleWithoutNamesIsForAll) {
  DnsRules rules;
  rules.add(3, rule({}, DnsEffect::kTimeout));
  EXPECT_EQ(ask(rules, "any.test").what, DnsVerdict::kDrop);
}

TEST(DnsRules, AnswersAsTheEffectSays) {
  DnsRules rules;
  rules.add(0, rule({"nx"}));
  rules.add(1, rule({"fail"}, DnsEffect::kServfail));
  DnsRule late = rule({"late"}, DnsEffect::kDelay);
  late.delay = std::chrono::milliseconds(70);
  rules.add(2, late);
  DnsRule elsewhere = rule({"elsewhere"}, DnsEffect::kAddress);
  elsewhere.addresses.v4 = {{10, 0, 0, 9}};
  rules.add(3, elsewhere);
  EXPECT_NE(testing::dns_answer_text(ask(rules, "nx").answer).find("rcode=3"), std::string::npos);
  EXPECT_NE(testing::dns_answer_text(ask(rules, "fail").answer).find("rcode=2"), std::string::npos);
  EXPECT_EQ(ask(rules, "late").what, DnsVerdict::kHold);
  EXPECT_EQ(ask(rules, "late").hold, std::chrono::milliseconds(70));
  EXPECT_EQ(ask(rules, "late").rule, 2);
  EXPECT_NE(testing::dns_answer_text(ask(rules, "elsewhere").answer).find("first=10.0.0.9"),
            std::string::npos);
  EXPECT_EQ(ask(rules, "elsewhere", kNow, 15).what, DnsVerdict::kForward)
      << "MX is no question for addresses";
}

TEST(DnsRules, ARuleIsFollowedWhileItsScheduleIsInForce) {
  DnsRules rules;
  rules.add(0, rule({}));
  EXPECT_EQ(ask(rules, "a", kNow - seconds(11)).what, DnsVerdict::kForward);
  EXPECT_EQ(ask(rules, "a", kNow + seconds(9)).what, DnsVerdict::kAnswer);
  EXPECT_EQ(ask(rules, "a", kNow + seconds(10)).what, DnsVerdict::kForward);
  rules.set_deadline(0, kNow + seconds(20));
  EXPECT_EQ(ask(rules, "a", kNow + seconds(10)).what, DnsVerdict::kAnswer);
}

TEST(DnsRules, TheHighestPriorityDecidesThenTheEarliest) {
  DnsRules rules;
  rules.add(5, rule({}, DnsEffect::kTimeout));
  rules.add(1, rule({"a"}, DnsEffect::kServfail));
  EXPECT_EQ(ask(rules, "a").what, DnsVerdict::kDrop) << "the earlier of two equals";
  rules.add(0, rule({"a"}, DnsEffect::kNxdomain, 1));
  EXPECT_EQ(ask(rules, "a").what, DnsVerdict::kAnswer);
  EXPECT_EQ(ask(rules, "b").what, DnsVerdict::kDrop);
  rules.remove(5);
  EXPECT_EQ(ask(rules, "b").what, DnsVerdict::kForward);
}

TEST(DnsRules, TheSelectionIsDrawnForMatchingQueriesOnly) {
  DnsRules rules;
  DnsRule every_second = rule({"a"});
  every_second.selection.how = FL_SELECT_EVERY;
  every_second.selection.n = 2;
  rules.add(0, every_second);
  std::string fates;
  for (int i = 0; i < 6; ++i) {
    ask(rules, "b");
    fates += ask(rules, "a").what == DnsVerdict::kAnswer ? 'x' : '.';
  }
  EXPECT_EQ(fates, ".x.x.x");
  const DnsCounters counters = rules.remove(0);
  EXPECT_EQ(counters.evaluated, 12u);
  EXPECT_EQ(counters.matched, 6u);
  EXPECT_EQ(counters.injected, 3u);
}

TEST(DnsRules, CountsFromItsOwnBeginning) {
  DnsRules rules;
  rules.add(0, rule({"a"}));
  ask(rules, "a");
  rules.add(1, rule({"b"}));
  ask(rules, "b");
  EXPECT_EQ(rules.counters(0).evaluated, 2u);
  EXPECT_EQ(rules.counters(1).evaluated, 1u);
  EXPECT_EQ(rules.counters(1).injected, 1u);
}

}  // namespace
}  // namespace faultline
