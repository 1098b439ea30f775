#include "agent/faults/dns_rule.h"

#include <arpa/inet.h>
#include <fmt/ranges.h>

#include "agent/faults/proto_time.h"
#include "agent/faults/schedule.h"
#include "agent/faults/selection.h"

namespace faultline {
namespace {

constexpr TimeRange kDelay{.least = Nanos(1), .most = std::chrono::minutes(1)};
constexpr int kMaxNames = 64;  // each is compared with every query

StatusOr<DnsEffect> to_effect(v1::DnsAnswer answer) {
  switch (answer) {
    case v1::DNS_ANSWER_NXDOMAIN:
      return DnsEffect::kNxdomain;
    case v1::DNS_ANSWER_SERVFAIL:
      return DnsEffect::kServfail;
    case v1::DNS_ANSWER_TIMEOUT:
      return DnsEffect::kTimeout;
    case v1::DNS_ANSWER_DELAY:
      return DnsEffect::kDelay;
    case v1::DNS_ANSWER_ADDRESS:
      return DnsEffect::kAddress;
    default:
      return invalid_argument("dns: answer must be nxdomain, servfail, timeout, delay or address");
  }
}

StatusOr<Nanos> to_delay(const v1::Dns& dns) {
  if (dns.answer() != v1::DNS_ANSWER_DELAY) {
    if (dns.has_delay()) return invalid_argument("dns: a delay goes with answer delay only");
    return Nanos::zero();
  }
  FL_RETURN_IF_ERROR(check_time(dns.delay(), "dns: delay", kDelay));
  return to_nanos(dns.delay());
}

StatusOr<DnsAddresses> to_addresses(const v1::Dns& dns) {
  DnsAddresses addresses;
  if (dns.answer() != v1::DNS_ANSWER_ADDRESS) {
    if (!dns.addresses().empty()) return invalid_argument("dns: addresses go with answer address only");
    return addresses;
  }
  if (dns.addresses().empty()) return invalid_argument("dns: answer address needs addresses");
  for (const std::string& text : dns.addresses()) {
    std::array<unsigned char, 4> v4{};
    std::array<unsigned char, 16> v6{};
    if (::inet_pton(AF_INET, text.c_str(), v4.data()) == 1) {
      addresses.v4.push_back(v4);
    } else if (::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) {
      addresses.v6.push_back(v6);
    } else {
      return invalid_argument("dns: \"{}\" is neither an IPv4 nor an IPv6 address", text);
    }
  }
  if (addresses.v4.size() > kDnsMaxAddresses || addresses.v6.size() > kDnsMaxAddresses) {
    return invalid_argument("dns: at most {} addresses of each family", kDnsMaxAddresses);
  }
  return addresses;
}

std::string effect_text(const v1::Dns& dns) {
  switch (dns.answer()) {
    case v1::DNS_ANSWER_NXDOMAIN:
      return "answered NXDOMAIN";
    case v1::DNS_ANSWER_SERVFAIL:
      return "answered SERVFAIL";
    case v1::DNS_ANSWER_TIMEOUT:
      return "never answered";
    case v1::DNS_ANSWER_DELAY:
      return fmt::format("answered truly, {} later", time_text(to_nanos(dns.delay())));
    default:
      return fmt::format("answered with {}", fmt::join(dns.addresses(), ", "));
  }
}

}  // namespace

StatusOr<DnsRule> to_dns_rule(const v1::FaultSpec& spec) {
  const v1::Dns& dns = spec.dns();
  DnsRule rule;
  if (dns.names_size() > kMaxNames) return invalid_argument("dns: at most {} names", kMaxNames);
  for (const std::string& name : dns.names()) {
    auto pattern = NamePattern::parse(name);
    if (!pattern.ok()) return annotate(pattern.status(), "dns: names");
    rule.names.push_back(std::move(*pattern));
  }
  if (dns.has_queries()) FL_RETURN_IF_ERROR(check_selection(dns.queries(), "dns"));
  FL_RETURN_IF_ERROR(check_pulse(spec));
  FL_ASSIGN_OR_RETURN(rule.effect, to_effect(dns.answer()));
  FL_ASSIGN_OR_RETURN(rule.delay, to_delay(dns));
  FL_ASSIGN_OR_RETURN(rule.addresses, to_addresses(dns));
  rule.selection = to_selection(dns.queries());
  rule.seed = spec.seed();
  rule.priority = spec.priority();
  return rule;
}

std::string describe_dns(const v1::FaultSpec& spec) {
  const v1::Dns& dns = spec.dns();
  return fmt::format(
      "queries for {}: {}, {}",
      dns.names().empty() ? std::string("every name") : fmt::format("{}", fmt::join(dns.names(), ", ")),
      describe(dns.queries()), effect_text(dns));
}

}  // namespace faultline
