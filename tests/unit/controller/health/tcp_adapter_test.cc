#include "controller/health/tcp_adapter.h"

#include <gtest/gtest.h>

#include "tests/support/tiny_server.h"

namespace faultline {
namespace {

using std::chrono::seconds;

HealthReading probe_tcp(const std::string& host, std::uint16_t port) {
  return (*make_tcp_adapter(TcpCheck{host, port}))->probe(seconds(5));
}

TEST(TcpAdapter, ListeningPortIsHealthy) {
  const testing::TinyServer server(testing::hangs());
  const HealthReading reading = probe_tcp("127.0.0.1", server.port());
  EXPECT_EQ(reading.state, HealthState::kHealthy) << reading.detail;
  EXPECT_LT(reading.latency, seconds(5));
}

TEST(TcpAdapter, ManyProbesInARowStayHealthy) {
  const testing::TinyServer server(testing::answers("never asked"));
  const std::unique_ptr<HealthAdapter> adapter = *make_tcp_adapter(TcpCheck{"127.0.0.1", server.port()});
  for (int i = 0; i < 100; ++i) ASSERT_EQ(adapter->probe(seconds(5)).state, HealthState::kHealthy) << i;
}

TEST(TcpAdapter, ClosedPortIsUnhealthy) {
  const HealthReading reading = probe_tcp("127.0.0.1", testing::closed_port());
  EXPECT_EQ(reading.state, HealthState::kUnhealthy);
  EXPECT_EQ(reading.detail, "connection refused");
}

TEST(TcpAdapter, ClosedPortOfIpv6AddressIsUnhealthy) {
  const HealthReading reading = probe_tcp("::1", testing::closed_port());
  // Refused, or on a machine without IPv6 not to be reached; never a malformed address.
  EXPECT_NE(reading.state, HealthState::kHealthy);
  EXPECT_EQ(reading.detail.find("URL"), std::string::npos) << reading.detail;
}

TEST(TcpAdapter, UnresolvableNameIsUnknown) {
  EXPECT_EQ(probe_tcp("no-such-host.invalid", 80).state, HealthState::kUnknown);
}

}  // namespace
}  // namespace faultline
