#include "agent/dns/message.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/lab_dns.h"

namespace faultline {
namespace {

using testing::dns_answer_text;
using testing::dns_question;
using testing::get16;

DnsQuestion question_of(const std::string& message) {
  const auto question = read_question(message);
  EXPECT_TRUE(question.has_value());
  return question.value_or(DnsQuestion{});
}

TEST(DnsMessage, ReadsTheQuestion) {
  const DnsQuestion question = question_of(dns_question(7, "WWW.Example.com", 28));
  EXPECT_EQ(question.name, "www.example.com");
  EXPECT_EQ(question.type, kDnsAaaa);
  EXPECT_EQ(question.rr_class, 1);
  EXPECT_TRUE(question.edns);
}

TEST(DnsMessage, ReadsTheRootAndStrangeLabels) {
  std::string root = dns_question(7, "", 2);
  EXPECT_EQ(question_of(root).name, "");
  std::string strange = dns_question(7, "abc", 1);
  strange[13] = '.', strange[14] = '\0';
  EXPECT_EQ(question_of(strange).name, "\\046\\000c");
}

TEST(DnsMessage, AQueryWithoutOptIsOneWithoutEdns) {
  std::string plain = dns_question(7, "a.test", 1);
  plain[11] = 0;
  plain.resize(plain.size() - 11);
  EXPECT_FALSE(question_of(plain).edns);
  EXPECT_NE(dns_answer_text(empty_answer(plain, question_of(plain), kDnsNxdomain)).find("edns=0"),
            std::string::npos);
}

TEST(DnsMessage, LeavesWhatIsNoPlainQueryAlone) {
  const std::string good = dns_question(7, "a.test", 1);
  const auto with = [&](std::size_t at, char value) {
    std::string changed = good;
    changed[at] = value;
    return read_question(changed);
  };
  EXPECT_FALSE(with(2, '\x81')) << "a response";
  EXPECT_FALSE(with(2, '\x28')) << "an update";
  EXPECT_FALSE(with(5, '\0')) << "no question";
  EXPECT_FALSE(with(5, '\2')) << "two";
  EXPECT_FALSE(with(12, '\xc0')) << "a name that points";
  EXPECT_FALSE(with(12, '\x40')) << "a label of an unknown kind";
  EXPECT_FALSE(read_question(std::string(70000, '\0')));
}

TEST(DnsMessage, ANameLongerThanAnyIsRefused) {
  std::string label(63, 'x');
  EXPECT_TRUE(
      read_question(dns_question(1, label + "." + label + "." + label + "." + std::string(61, 'x'), 1)));
  EXPECT_FALSE(
      read_question(dns_question(1, label + "." + label + "." + label + "." + std::string(62, 'x'), 1)));
}

TEST(DnsMessage, AnEmptyAnswerKeepsIdQuestionAndEdns) {
  const std::string query = dns_question(0xabcd, "a.test", 1);
  const std::string answer = empty_answer(query, question_of(query), kDnsServfail);
  EXPECT_EQ(get16(answer, 0), 0xabcdu);
  EXPECT_EQ(get16(answer, 2), 0x8182u);  // response, recursion desired and available, SERVFAIL
  EXPECT_EQ(answer.substr(12, 12), query.substr(12, 12));
  EXPECT_EQ(dns_answer_text(answer), "rcode=2 answers=0 tc=0 edns=1 first=-");
}

TEST(DnsMessage, AnAddressAnswerHoldsTheFamilyAskedFor) {
  DnsAddresses addresses;
  addresses.v4 = {{10, 0, 0, 1}, {10, 0, 0, 2}};
  const std::string a = dns_question(1, "a.test", kDnsA);
  EXPECT_EQ(dns_answer_text(address_answer(a, question_of(a), addresses)),
            "rcode=0 answers=2 tc=0 edns=1 first=10.0.0.1");
  const std::string aaaa = dns_question(1, "a.test", kDnsAaaa);
  EXPECT_EQ(dns_answer_text(address_answer(aaaa, question_of(aaaa), addresses)),
            "rcode=0 answers=0 tc=0 edns=1 first=-");
  addresses.v6 = {{0xfd, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}};
  EXPECT_EQ(dns_answer_text(address_answer(aaaa, question_of(aaaa), addresses)),
            "rcode=0 answers=1 tc=0 edns=1 first=fd99::7");
  const std::string any = dns_question(1, "a.test", kDnsAny);
  EXPECT_EQ(dns_answer_text(address_answer(any, question_of(any), addresses)),
            "rcode=0 answers=3 tc=0 edns=1 first=10.0.0.1");
  EXPECT_FALSE(asks_for_addresses(question_of(dns_question(1, "a.test", 15))));
  EXPECT_TRUE(asks_for_addresses(question_of(dns_question(1, "a.test", kDnsHttps))));
}

TEST(DnsMessage, TheLargestAnswerFitsIntoAPlainDatagram) {
  const std::string label(63, 'x');
  const std::string query =
      dns_question(1, label + "." + label + "." + label + "." + std::string(61, 'x'), kDnsAaaa);
  DnsAddresses addresses;
  addresses.v6.resize(kDnsMaxAddresses);
  EXPECT_LE(address_answer(query, question_of(query), addresses).size(), 512u);
}

// Whatever comes: an answer that can be made is one that begins as the query did.
void survives(const std::string& message) {
  const auto question = read_question(message);
  if (!question) return;
  ASSERT_LE(question->end, message.size());
  DnsAddresses addresses;
  addresses.v4.resize(1);
  const std::string answer = address_answer(message, *question, addresses);
  ASSERT_EQ(answer.substr(0, 2), message.substr(0, 2));
  ASSERT_EQ(answer.substr(12, question->end - 12), message.substr(12, question->end - 12));
}

TEST(DnsMessage, NoTruncatedMessageDoesHarm) {
  const std::string good = dns_question(1, "www.example.com", 1);
  for (std::size_t size = 0; size <= good.size(); ++size) {
    // Of its very own size, so that a sanitizer sees a byte read beyond it.
    survives(std::string(good.data(), size));
    EXPECT_EQ(read_question(good.substr(0, size)).has_value(), size >= good.size() - 11);
  }
}

TEST(DnsMessage, NoRandomMessageDoesHarm) {
  std::mt19937 random(20260101);
  for (int i = 0; i < 20000; ++i) {
    std::string noise(random() % 300, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    survives(noise);
    // Near misses reach deeper.
    std::string near = dns_question(static_cast<unsigned>(i) & 0xffff, "www.example.com", 1);
    for (unsigned n = random() % 4; n > 0; --n) near[random() % near.size()] = static_cast<char>(random());
    near.resize(near.size() - random() % 3);
    survives(near);
  }
}

}  // namespace
}  // namespace faultline
