#include "controller/health/http_adapter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "controller/health/transfer.h"
#include "tests/support/tiny_server.h"

namespace faultline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::TinyServer;

HealthReading probe_url(const std::string& url, Nanos timeout = seconds(5)) {
  HttpCheck check;
  check.url = url;
  return (*make_http_adapter(check))->probe(timeout);
}

HttpCheck json_check(const std::string& pointer) {
  HttpCheck check;
  check.json = JsonExpectation{pointer, {"ok", "true", "3"}, {"warn"}};
  return check;
}

TEST(HttpAdapter, ReadsStatusFromRealServer) {
  const TinyServer well(testing::answers_http(200, "fine"));
  const HealthReading reading = probe_url(well.url("/healthz"));
  EXPECT_EQ(reading.state, HealthState::kHealthy) << reading.detail;
  EXPECT_EQ(reading.detail, "200");
  EXPECT_GT(reading.latency, Nanos::zero());

  const TinyServer ill(testing::answers_http(503, ""));
  EXPECT_EQ(probe_url(ill.url("/")).state, HealthState::kUnhealthy);
  EXPECT_EQ(probe_url(ill.url("/")).detail, "503");
}

TEST(HttpAdapter, DoesNotFollowRedirects) {
  const TinyServer well(testing::answers_http(200, ""));
  const TinyServer elsewhere(
      testing::answers("HTTP/1.1 302 x\r\nLocation: " + well.url("/") + "\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(probe_url(elsewhere.url("/")).state, HealthState::kUnhealthy);
}

TEST(HttpAdapter, IgnoresProxyOfTheEnvironment) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  const TinyServer well(testing::answers_http(200, ""));
  EXPECT_EQ(probe_url(well.url("/")).state, HealthState::kHealthy);
  ::unsetenv("http_proxy");
}

TEST(HttpAdapter, RefusedConnectionIsUnhealthy) {
  const HealthReading reading = probe_url("http://127.0.0.1:" + std::to_string(testing::closed_port()));
  EXPECT_EQ(reading.state, HealthState::kUnhealthy);
  EXPECT_EQ(reading.detail, "connection refused");
}

TEST(HttpAdapter, ClosedWithoutAnswerIsUnhealthy) {
  const TinyServer closes(testing::answers(""));
  EXPECT_EQ(probe_url(closes.url("/")).state, HealthState::kUnhealthy);
}

TEST(HttpAdapter, SilenceIsUnhealthyAtTheTimeout) {
  const TinyServer silent(testing::hangs());
  const HealthReading reading = probe_url(silent.url("/"), milliseconds(100));
  EXPECT_EQ(reading.state, HealthState::kUnhealthy);
  EXPECT_EQ(reading.detail, "timeout");
  EXPECT_GE(reading.latency, milliseconds(90));
}

TEST(HttpAdapter, UnresolvableNameIsUnknown) {
  EXPECT_EQ(probe_url("http://no-such-host.invalid/").state, HealthState::kUnknown);
}

TEST(HttpAdapter, CancelEndsProbeUnderWay) {
  const TinyServer silent(testing::hangs());
  HttpCheck check;
  check.url = silent.url("/");
  const std::unique_ptr<HealthAdapter> adapter = *make_http_adapter(check);
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(50));
    adapter->cancel();
  });
  const HealthReading reading = adapter->probe(seconds(30));
  canceller.join();
  EXPECT_EQ(reading.state, HealthState::kUnknown);
  EXPECT_LT(reading.latency, seconds(20));
  EXPECT_EQ(adapter->probe(seconds(30)).detail, "cancelled");
}

TEST(HttpAdapter, StopsReadingEndlessBody) {
  const TinyServer endless(testing::answers("HTTP/1.1 200 x\r\nConnection: close\r\n\r\n" +
                                            std::string(kMaxBodyBytes + 100'000, 'x')));
  EXPECT_EQ(probe_url(endless.url("/")).state, HealthState::kHealthy);
  HttpCheck check = json_check("/status");
  check.url = endless.url("/");
  const HealthReading reading = (*make_http_adapter(check))->probe(seconds(5));
  EXPECT_EQ(reading.state, HealthState::kUnknown);
  EXPECT_EQ(reading.detail, "200, body is longer than 1 MiB");
}

TEST(HttpAdapter, JudgesJsonValueAtPointer) {
  const struct {
    const char* pointer;
    const char* body;
    HealthState state;
  } cases[] = {
      {"/status", R"({"status":"ok"})", HealthState::kHealthy},
      {"/status", R"({"status":"warn"})", HealthState::kDegraded},
      {"/status", R"({"status":"down"})", HealthState::kUnhealthy},
      {"/status", R"({"status":{"ok":1}})", HealthState::kUnhealthy},
      {"/up", R"({"up":true})", HealthState::kHealthy},
      {"/nodes/1", R"({"nodes":[1,3]})", HealthState::kHealthy},
      {"/nodes/2", R"({"nodes":[1,3]})", HealthState::kUnknown},
      {"", "3", HealthState::kHealthy},
      {"/a~1b", R"({"a/b":"ok"})", HealthState::kHealthy},
      {"/status", R"({"state":"ok"})", HealthState::kUnknown},
      {"/status", R"({"status":)", HealthState::kUnknown},
      {"/status", "<html>", HealthState::kUnknown},
      {"/status", "", HealthState::kUnknown},
      {"status", R"({"status":"ok"})", HealthState::kUnknown},
  };
  for (const auto& one : cases) {
    const HttpVerdict verdict = judge_answer(json_check(one.pointer), 200, one.body, false);
    EXPECT_EQ(verdict.state, one.state) << one.pointer << " in " << one.body << ": " << verdict.detail;
  }
}

TEST(HttpAdapter, WrongStatusWinsOverRightJson) {
  EXPECT_EQ(judge_answer(json_check("/s"), 500, R"({"s":"ok"})", false).state, HealthState::kUnhealthy);
}

TEST(HttpAdapter, SlowAnswerOfHealthyServerIsDegraded) {
  const TinyServer well(testing::answers_http(200, ""));
  Probe probe;
  HttpCheck check;
  check.url = well.url("/");
  probe.check = check;
  probe.degraded_above = Nanos(1);
  EXPECT_EQ((*make_adapter(probe))->probe(seconds(5)).state, HealthState::kDegraded);
  probe.degraded_above = seconds(5);
  EXPECT_EQ((*make_adapter(probe))->probe(seconds(5)).state, HealthState::kHealthy);
}

}  // namespace
}  // namespace faultline
