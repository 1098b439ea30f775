#include "agent/faults/dns_rule.h"

#include <gtest/gtest.h>

namespace faultline {
namespace {

v1::FaultSpec spec(v1::DnsAnswer answer) {
  v1::FaultSpec spec;
  spec.mutable_dns()->set_answer(answer);
  return spec;
}

std::string refusal(const v1::FaultSpec& spec) {
  const auto rule = to_dns_rule(spec);
  EXPECT_EQ(rule.status().code(), StatusCode::kInvalidArgument) << spec.ShortDebugString();
  return message_of(rule.status());
}

TEST(DnsRule, CarriesTheValuesOver) {
  v1::FaultSpec message = spec(v1::DNS_ANSWER_ADDRESS);
  message.mutable_dns()->add_names("*.example.com.");
  message.mutable_dns()->add_addresses("10.0.0.7");
  message.mutable_dns()->add_addresses("fd99::7");
  message.mutable_dns()->mutable_queries()->set_every(3);
  message.set_seed(11);
  message.set_priority(-2);
  const auto rule = to_dns_rule(message);
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ(rule->effect, DnsEffect::kAddress);
  ASSERT_EQ(rule->names.size(), 1u);
  EXPECT_TRUE(rule->names[0].matches("a.example.com"));
  EXPECT_EQ(rule->addresses.v4.at(0)[3], 7);
  EXPECT_EQ(rule->addresses.v6.at(0)[15], 7);
  EXPECT_EQ(rule->selection.n, 3u);
  EXPECT_EQ(rule->seed, 11u);
  EXPECT_EQ(rule->priority, -2);
  EXPECT_EQ(describe_dns(message),
            "queries for *.example.com.: every 3rd of them, answered with 10.0.0.7, fd99::7");
}

TEST(DnsRule, WithoutQueriesAllAreHit) {
  const auto rule = to_dns_rule(spec(v1::DNS_ANSWER_NXDOMAIN));
  ASSERT_TRUE(rule.ok());
  EXPECT_TRUE(fl_selected(&rule->selection, 1, 0));
  EXPECT_EQ(describe_dns(spec(v1::DNS_ANSWER_NXDOMAIN)),
            "queries for every name: each of them, answered NXDOMAIN");
}

TEST(DnsRule, RefusesWhatTheAnswerHasNoUseFor) {
  EXPECT_EQ(refusal(spec(v1::DNS_ANSWER_UNSPECIFIED)),
            "dns: answer must be nxdomain, servfail, timeout, delay or address");
  v1::FaultSpec message = spec(v1::DNS_ANSWER_SERVFAIL);
  message.mutable_dns()->add_addresses("10.0.0.1");
  EXPECT_EQ(refusal(message), "dns: addresses go with answer address only");
  message = spec(v1::DNS_ANSWER_TIMEOUT);
  message.mutable_dns()->mutable_delay()->set_seconds(1);
  EXPECT_EQ(refusal(message), "dns: a delay goes with answer delay only");
}

TEST(DnsRule, RefusesBadValuesAndNamesThem) {
  EXPECT_EQ(refusal(spec(v1::DNS_ANSWER_DELAY)), "dns: delay must be from 1 ns to 1 min");
  v1::FaultSpec message = spec(v1::DNS_ANSWER_DELAY);
  message.mutable_dns()->mutable_delay()->set_seconds(61);
  EXPECT_EQ(refusal(message), "dns: delay must be from 1 ns to 1 min");
  EXPECT_EQ(refusal(spec(v1::DNS_ANSWER_ADDRESS)), "dns: answer address needs addresses");
  message = spec(v1::DNS_ANSWER_ADDRESS);
  message.mutable_dns()->add_addresses("10.0.0.0/8");
  EXPECT_EQ(refusal(message), "dns: \"10.0.0.0/8\" is neither an IPv4 nor an IPv6 address");
  message.mutable_dns()->clear_addresses();
  for (int i = 0; i < 9; ++i) message.mutable_dns()->add_addresses("10.0.0.1");
  EXPECT_EQ(refusal(message), "dns: at most 8 addresses of each family");
  message = spec(v1::DNS_ANSWER_NXDOMAIN);
  message.mutable_dns()->add_names("a..b");
  EXPECT_EQ(refusal(message), "dns: names: \"a..b\" has an empty label");
  message = spec(v1::DNS_ANSWER_NXDOMAIN);
  for (int i = 0; i < 65; ++i) message.mutable_dns()->add_names("a");
  EXPECT_EQ(refusal(message), "dns: at most 64 names");
  message = spec(v1::DNS_ANSWER_NXDOMAIN);
  message.mutable_dns()->mutable_queries();
  EXPECT_EQ(refusal(message), "dns: needs one of probability, every, first and bursts");
  message = spec(v1::DNS_ANSWER_NXDOMAIN);
  message.mutable_pulse();
  EXPECT_EQ(refusal(message), "pulse: on must be from 1 ms to 1 h");
}

}  // namespace
}  // namespace faultline
