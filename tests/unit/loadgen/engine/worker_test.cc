#include "loadgen/engine/worker.h"

#include <gtest/gtest.h>

#include <cmath>

#include "loadgen/engine/load.h"
#include "loadgen/protocol/http1.h"
#include "tests/unit/loadgen/engine/scripted_server.h"

namespace faultline {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Load {
  double rate = 1000;  // 0: closed loop
  Nanos length = 200ms;
  std::uint32_t connections = 4;
  unsigned workers = 1;
  unsigned depth = 1;
  Nanos timeout = 5s;
  std::size_t most_waiting = 65536;
  std::string body = {};
};

class WorkerTest : public ::testing::Test {
 protected:
  Tally run(const Address& to, const Load& load) {
    const auto schedule =
        Schedule::make({{.length = load.length, .from_rate = load.rate, .to_rate = load.rate}});
    EXPECT_TRUE(schedule.ok()) << schedule.status();
    const auto wire =
        std::make_shared<const std::string>(to_http1({.host = "test", .fields = {}, .body = load.body}));
    const auto done = run_load(
        {.to = to,
         .connections = load.connections,
         .workers = load.workers,
         .depth = load.depth,
         .schedule = load.rate > 0 ? &*schedule : nullptr,
         .poisson = {},
         .length = load.length,
         .timeout = load.timeout,
         .connect_timeout = 1s,
         .most_waiting = load.most_waiting},
        [&] { return std::make_unique<Http1>(wire, false); }, stop);
    if (!done.ok()) {
      ADD_FAILURE() << done.status();
      return Tally(3);
    }
    const Tally& t = done->tally;
    EXPECT_EQ(t.scheduled, t.sent + t.shed + t.unsent);
    EXPECT_EQ(t.sent, t.answered + t.failed() + t.in_flight);
    EXPECT_EQ(t.response.count(), t.answered);
    return t;
  }
  static std::uint64_t failed_by(const Tally& tally, Failure failure) {
    return tally.failures[static_cast<std::size_t>(failure)];
  }

  std::atomic<bool> stop = false;
};

TEST_F(WorkerTest, SendsAndCountsAllOfAScheduleWhateverTheWorkers) {
  ScriptedServer server(ScriptedServer::answering(kOk));
  for (const unsigned workers : {1u, 3u}) {
    const Tally tally = run(server.address(), {.workers = workers});
    EXPECT_EQ(tally.scheduled, 200u);
    EXPECT_EQ(tally.good, 200u);
    EXPECT_EQ(tally.statuses, (std::map<int, std::uint64_t>{{200, 200}}));
    EXPECT_EQ(tally.body_bytes, 400u);
    EXPECT_EQ(tally.connects, 4u);
    EXPECT_EQ(tally.lateness.count(), 200u);
  }
}

TEST_F(WorkerTest, InAClosedLoopEveryConnectionAsksAgainAndAgain) {
  ScriptedServer server(ScriptedServer::answering(kOk));
  const Tally tally = run(server.address(), {.rate = 0});
  EXPECT_GT(tally.good, 100u);
  EXPECT_EQ(tally.failed(), 0u);
  EXPECT_EQ(tally.unsent, 0u);
}

TEST_F(WorkerTest, PipelinesAsManyAsItMay) {
  std::atomic<std::size_t> most = 0;
  ScriptedServer server([&](int fd, const std::atomic<bool>&) {
    std::string rest;
    while (ScriptedServer::read_request(fd, rest)) {
      std::size_t more = 1;
      for (std::size_t at = rest.find("\r\n\r\n"); at != std::string::npos;
           at = rest.find("\r\n\r\n", at + 4))
        ++more;
      most = std::max(most.load(), more);
      ScriptedServer::write_all(fd, kOk);
    }
  });
  const Tally tally = run(server.address(), {.rate = 0, .connections = 1, .depth = 8});
  EXPECT_EQ(tally.failed(), 0u);
  EXPECT_GT(most, 1u);
  EXPECT_LE(most, 8u);
}

TEST_F(WorkerTest, AnswersOfManyBuffersArriveWhole) {
  const std::string body(3'000'000, 'x');
  ScriptedServer server(ScriptedServer::answering(
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
  const Tally tally = run(server.address(), {.rate = 50, .connections = 10});
  EXPECT_EQ(tally.good, 10u);
  EXPECT_EQ(tally.body_bytes, 10 * body.size());
}

TEST_F(WorkerTest, RequestsThatTheSocketTakesInPartsArriveWhole) {
  constexpr std::size_t kBody = 8'000'000;
  std::atomic<std::size_t> bytes = 0;
  ScriptedServer server([&](int fd, const std::atomic<bool>&) {
    std::string rest;
    ScriptedServer::read_request(fd, rest);
    bytes += rest.size();
    std::string part(100'000, '\0');
    for (std::size_t got = rest.size(); got < kBody;) {
      const ssize_t size = ::recv(fd, part.data(), part.size(), 0);
      if (size <= 0) return;
      got += static_cast<std::size_t>(size);
      bytes += static_cast<std::size_t>(size);
    }
    ScriptedServer::write_all(fd, kOk);
    ScriptedServer::read_request(fd, rest);
  });
  const Tally tally =
      run(server.address(), {.rate = 10, .length = 100ms, .connections = 1, .body = std::string(kBody, 'y')});
  EXPECT_EQ(tally.good, 1u);
  EXPECT_EQ(bytes, kBody);
  EXPECT_GT(tally.bytes_out, kBody);
}

TEST_F(WorkerTest, WhatIsNotAnsweredTimesOut) {
  ScriptedServer server([](int fd, const std::atomic<bool>&) {
    for (std::string rest; ScriptedServer::read_request(fd, rest);) {
    }
  });
  const Tally tally = run(server.address(), {.rate = 100, .connections = 30, .timeout = 100ms});
  EXPECT_EQ(failed_by(tally, Failure::kTimedOut), 20u);
  EXPECT_EQ(tally.answered, 0u);
}

TEST_F(WorkerTest, AConnectionThatTheServerEndsIsMadeAnew) {
  ScriptedServer server([](int fd, const std::atomic<bool>&) {
    std::string rest;
    if (ScriptedServer::read_request(fd, rest))
      ScriptedServer::write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  });
  const Tally tally = run(server.address(), {});
  EXPECT_EQ(tally.good, 200u);
  EXPECT_GE(tally.connects, 200u);
}

TEST_F(WorkerTest, EachWayToFailHasItsName) {
  const struct {
    const char* answer;
    Failure failure;
  } kCases[] = {{"garbage\r\n\r\n", Failure::kBadAnswer},
                {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nearly", Failure::kClosedEarly},
                {"", Failure::kClosedUnanswered}};
  for (const auto& [answer, failure] : kCases) {
    ScriptedServer server([answer = answer](int fd, const std::atomic<bool>&) {
      std::string rest;
      if (ScriptedServer::read_request(fd, rest)) ScriptedServer::write_all(fd, answer);
    });
    const Tally tally = run(server.address(), {.rate = 100});
    EXPECT_EQ(failed_by(tally, failure), 20u) << name_of(failure);
    EXPECT_EQ(tally.answered, 0u);
  }
}

TEST_F(WorkerTest, WhereNobodyListensNothingIsSentAndAllIsCounted) {
  Address nobody;
  {
    ScriptedServer gone(ScriptedServer::answering(kOk));
    nobody = gone.address();
  }
  const Tally tally = run(nobody, {.rate = 100, .timeout = 50ms});
  EXPECT_EQ(tally.unsent, 20u);
  EXPECT_EQ(tally.connect_failed_by[static_cast<std::size_t>(Failure::kRefused)], tally.connect_failures);
  EXPECT_GE(tally.connect_failures, 4u);
  EXPECT_LT(tally.connect_failures, 200u) << "it pauses between its tries";
}

TEST_F(WorkerTest, BeyondWhatMayWaitRequestsAreShed) {
  ScriptedServer server([](int fd, const std::atomic<bool>&) {
    for (std::string rest; ScriptedServer::read_request(fd, rest);) {
    }
  });
  const Tally tally = run(server.address(), {.connections = 1, .timeout = 300ms, .most_waiting = 10});
  EXPECT_GE(tally.shed, 150u);
}

// Stands still once, for 0.4 s, 0.3 s after its first request.
ScriptedServer::Script stalling() {
  return [start = std::make_shared<std::atomic<long long>>(0)](int fd, const std::atomic<bool>&) {
    for (std::string rest; ScriptedServer::read_request(fd, rest);) {
      long long first = 0;
      const long long now = mono_now().time_since_epoch().count();
      start->compare_exchange_strong(first, now);
      const long long since = now - start->load(), begins = 300'000'000, ends = begins + 400'000'000;
      if (since >= begins && since < ends) std::this_thread::sleep_for(Nanos(ends - since));
      ScriptedServer::write_all(fd, kOk);
    }
  };
}

// Of n requests at an even rate in T those that were due in a stall of S wait from S down to nothing: a share
// of (S - w) / T waits longer than w. No measurement may show less. It may show more where this machine
// stands still, too; so one of some tries must show just that.
TEST_F(WorkerTest, AStallIsSeenByEveryRequestThatWasDueMeanwhile) {
  double off = 1;
  for (int tries = 0; tries < 5 && off > 0.02; ++tries) {
    ScriptedServer server(stalling());
    const Tally tally = run(server.address(), {.rate = 2000, .length = 1s, .connections = 2, .depth = 1000});
    ASSERT_EQ(tally.good, 2000u);
    off = 0;
    for (const double waits_s : {0.05, 0.1, 0.2, 0.3, 0.35}) {
      const auto longer = 2000 - tally.response.at_most(static_cast<std::uint64_t>(waits_s * 1e9));
      const double more = static_cast<double>(longer) / 2000 - (0.4 - waits_s) / 1;
      EXPECT_GT(more, -0.01) << waits_s;
      off = std::max(off, more);
    }
  }
  EXPECT_LE(off, 0.02);
}

TEST_F(WorkerTest, WhoMeasuresFromTheSendingMissesTheStall) {
  ScriptedServer server(stalling());
  const Tally tally = run(server.address(), {.rate = 2000, .length = 1s, .connections = 2});
  ASSERT_EQ(tally.good, 2000u);
  EXPECT_LE(2000 - tally.service.at_most(200'000'000), 2u) << "one a connection";
  EXPECT_GE(2000 - tally.response.at_most(200'000'000), 380u);
}

TEST_F(WorkerTest, StopsWhenItIsTold) {
  ScriptedServer server(ScriptedServer::answering(kOk));
  std::jthread later([this] {
    std::this_thread::sleep_for(100ms);
    stop = true;
  });
  const MonoTime before = mono_now();
  const Tally tally = run(server.address(), {.length = 1h});
  EXPECT_LT(mono_now() - before, 5s);
  EXPECT_GT(tally.good, 0u);
}

}  // namespace
}  // namespace faultline
