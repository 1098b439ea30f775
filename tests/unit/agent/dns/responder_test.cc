// The responder over real sockets on the loopback address, with a name server of the test's own behind it.
#include "agent/dns/responder.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/support/lab_dns.h"
#include "tests/support/lab_net.h"

namespace faultline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Address;
using testing::address_of;
using testing::dns_answer_text;
using testing::dns_question;
using testing::get16;
using testing::now_ns;
using testing::put16;
using testing::wait_for;

SocketAddress to_address(const Address& address) {
  return {.storage = address.storage, .size = address.size};
}

std::string framed(const std::string& message) {
  std::string frame;
  put16(frame, static_cast<unsigned>(message.size()));
  return frame + message;
}

UniqueFd connected(int type, std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, type, 0));
  const Address to = address_of("127.0.0.1", port);
  EXPECT_EQ(::connect(fd.get(), to.get(), to.size), 0);
  return fd;
}

// What comes within the time; "" for nothing. Of a connection: one message.
std::string received(const UniqueFd& fd, bool tcp, int wait_ms) {
  char data[65536];
  std::string all;
  const std::int64_t until = now_ns() + wait_ms * 1'000'000LL;
  while (wait_for(fd.get(), POLLIN, until)) {
    const std::size_t wanted = !tcp             ? sizeof data
                               : all.size() < 2 ? 2 - all.size()
                                                : 2 + get16(all, 0) - all.size();
    const ssize_t size = ::recv(fd.get(), data, wanted, 0);
    if (size <= 0) return "";
    all.append(data, static_cast<std::size_t>(size));
    if (!tcp) return all;
    if (all.size() >= 2 && all.size() == 2 + get16(all, 0)) return all.substr(2);
  }
  return "";
}

// Answers truly, over UDP and TCP on one port.
class TrueServer {
 public:
  TrueServer() {
    const Address own = address_of("127.0.0.1", 0);
    listener_.reset(::socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(::bind(listener_.get(), own.get(), own.size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    ::getsockname(listener_.get(), address_.get(), &address_.size);
    udp_.reset(::socket(AF_INET, SOCK_DGRAM, 0));
    EXPECT_EQ(::bind(udp_.get(), address_.get(), address_.size), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~TrueServer() {
    stopping_ = true;
    thread_.join();
  }
  const Address& address() const { return address_; }

 private:
  // What is no query goes back as it came.
  static std::string answer_to(const std::string& message, bool over_udp) {
    return read_question(message) ? testing::dns_true_answer(message, 1, over_udp) : message;
  }

  void run() {
    while (!stopping_) {
      if (wait_for(udp_.get(), POLLIN, now_ns() + 2'000'000)) {
        char data[65536];
        Address from;
        const ssize_t size = ::recvfrom(udp_.get(), data, sizeof data, 0, from.get(), &from.size);
        const std::string query(data, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        const std::string answer = answer_to(query, true);
        ::sendto(udp_.get(), answer.data(), answer.size(), 0, from.get(), from.size);
      }
      if (!connection_.valid() && wait_for(listener_.get(), POLLIN, now_ns() + 2'000'000)) {
        connection_.reset(::accept(listener_.get(), nullptr, nullptr));
      }
      if (connection_.valid() && wait_for(connection_.get(), POLLIN, now_ns() + 2'000'000)) {
        const std::string query = received(connection_, true, 200);
        if (query.empty()) {
          connection_.reset();
          continue;
        }
        const std::string answer = framed(answer_to(query, false));
        ::send(connection_.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      }
    }
  }

  UniqueFd udp_, listener_, connection_;
  Address address_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

class DnsResponder : public ::testing::Test {
 protected:
  void SetUp() override {
    // Place 0 is the true server, place 1 one that nobody listens for, and place 2 is not known.
    const auto upstream = [this](DnsPlace place) -> std::optional<SocketAddress> {
      if (place.index == 2) return std::nullopt;
      return to_address(place.index == 0 ? server_.address() : address_of("127.0.0.1", 1));
    };
    auto made = Responder::make([] { return ok_status(); }, 3, upstream);
    ASSERT_TRUE(made.ok()) << made.status();
    responder_ = std::move(*made);
  }

  void add(int place, const std::string& name, DnsEffect effect, Nanos delay = {}) {
    DnsRule rule;
    rule.names.push_back(NamePattern::parse(name).value());
    rule.effect = effect;
    rule.delay = delay;
    rule.selection.chance = 1ull << 32;
    rule.schedule.deadline_ns = ktime_ns(mono_now() + seconds(60));
    responder_->rules().add(place, std::move(rule));
  }

  std::string over_udp(const std::string& message, int place = 0, int wait_ms = 3000) {
    const UniqueFd fd = connected(SOCK_DGRAM, responder_->ports({.v6 = false, .index = place}).udp);
    ::send(fd.get(), message.data(), message.size(), 0);
    return received(fd, false, wait_ms);
  }
  UniqueFd tcp(int place = 0) {
    return connected(SOCK_STREAM, responder_->ports({.v6 = false, .index = place}).tcp);
  }

  TrueServer server_;
  std::unique_ptr<Responder> responder_;
};

TEST_F(DnsResponder, PassesOnByteForByteWhatNoRuleConcerns) {
  const std::string query = dns_question(77, "a.test", 1);
  EXPECT_EQ(over_udp(query), testing::dns_true_answer(query, 1, true));
  EXPECT_EQ(over_udp("anything at all"), "anything at all");
}

TEST_F(DnsResponder, AnswersAndDropsByName) {
  add(0, "nx.*", DnsEffect::kNxdomain);
  add(1, "never.*", DnsEffect::kTimeout);
  EXPECT_EQ(dns_answer_text(over_udp(dns_question(5, "nx.test", 1))),
            "rcode=3 answers=0 tc=0 edns=1 first=-");
  EXPECT_EQ(over_udp(dns_question(5, "never.test", 1), 0, 200), "");
  EXPECT_NE(dns_answer_text(over_udp(dns_question(5, "a.test", 1))).find("first=192.0.2.1"),
            std::string::npos);
  EXPECT_EQ(responder_->rules().counters(1).injected, 1u);
}

TEST_F(DnsResponder, HoldsQueriesBackForTheDelay) {
  add(0, "late.*", DnsEffect::kDelay, milliseconds(150));
  const std::int64_t start = now_ns();
  EXPECT_NE(over_udp(dns_question(5, "late.test", 1)), "");
  EXPECT_GE(now_ns() - start, 150'000'000);
}

TEST_F(DnsResponder, AHeldQueryIsAnsweredTrulyAtOnceWhenItsRuleGoes) {
  add(0, "late.*", DnsEffect::kDelay, seconds(50));
  const UniqueFd udp = connected(SOCK_DGRAM, responder_->ports({.v6 = false, .index = 0}).udp);
  const UniqueFd stream = tcp();
  const std::string query = dns_question(5, "late.test", 1);
  ::send(udp.get(), query.data(), query.size(), 0);
  ::send(stream.get(), framed(query).data(), query.size() + 2, 0);
  while (responder_->rules().counters(0).injected < 2) std::this_thread::sleep_for(milliseconds(1));
  responder_->remove(0);
  responder_->drain(seconds(3));
  EXPECT_NE(received(udp, false, 1000), "");
  EXPECT_NE(received(stream, true, 1000), "");
}

TEST_F(DnsResponder, AServerOutOfReachIsAFailure) {
  EXPECT_NE(dns_answer_text(over_udp(dns_question(5, "a.test", 1), 1)).find("rcode=2"), std::string::npos);
  EXPECT_EQ(over_udp(dns_question(5, "a.test", 1), 2, 100), "") << "nobody knows that server";
}

TEST_F(DnsResponder, ServesMessageByMessageOverTcp) {
  add(0, "nx.*", DnsEffect::kNxdomain);
  const UniqueFd stream = tcp();
  const std::string both = framed(dns_question(1, "nx.test", 1)) + framed(dns_question(2, "big.test", 1));
  for (const char c : both) ::send(stream.get(), &c, 1, 0);  // a byte at a time
  std::map<unsigned, std::string> answers;
  for (int i = 0; i < 2; ++i) {
    const std::string answer = received(stream, true, 3000);
    ASSERT_GE(answer.size(), 12u);
    answers[get16(answer, 0)] = dns_answer_text(answer);
  }
  EXPECT_EQ(answers[1], "rcode=3 answers=0 tc=0 edns=1 first=-");
  EXPECT_EQ(answers[2], "rcode=0 answers=200 tc=0 edns=1 first=192.0.2.1");
}

TEST_F(DnsResponder, AClientThatEndsItsSideStillGetsItsAnswer) {
  const UniqueFd stream = tcp();
  const std::string query = framed(dns_question(1, "a.test", 1));
  ::send(stream.get(), query.data(), query.size(), 0);
  ::shutdown(stream.get(), SHUT_WR);
  EXPECT_NE(received(stream, true, 3000), "");
  EXPECT_TRUE(wait_for(stream.get(), POLLIN, now_ns() + 3'000'000'000)) << "and then the end";
}

TEST_F(DnsResponder, NoNoiseStopsIt) {
  std::mt19937 random(4242);
  const UniqueFd udp = connected(SOCK_DGRAM, responder_->ports({.v6 = false, .index = 2}).udp);
  for (int i = 0; i < 2000; ++i) {
    std::string noise(random() % 600, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    ::send(udp.get(), noise.data(), noise.size(), 0);
    if (i % 20 != 0) continue;
    const UniqueFd stream = tcp(i % 3);
    ::send(stream.get(), noise.data(), noise.size(), MSG_NOSIGNAL);
  }
  EXPECT_NE(over_udp(dns_question(1, "a.test", 1)), "");
}

TEST_F(DnsResponder, MoreConnectionsThanItHasRoomForAreClosed) {
  std::vector<UniqueFd> streams;
  for (int i = 0; i < 140; ++i) streams.push_back(tcp());
  EXPECT_TRUE(wait_for(streams.back().get(), POLLIN, now_ns() + 3'000'000'000));
  streams.clear();
  const std::string query = framed(dns_question(1, "nx.test", 1));
  add(0, "nx.*", DnsEffect::kNxdomain);
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) {
    const UniqueFd stream = tcp();
    ::send(stream.get(), query.data(), query.size(), MSG_NOSIGNAL);
    answer = received(stream, true, 100);
  }
  EXPECT_NE(answer, "");
}

}  // namespace
}  // namespace faultline
