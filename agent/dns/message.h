// DNS messages (RFC 1035, EDNS: RFC 6891) as far as faults need them: reading the question of a query, and
// making the wrong answer to it. Works on any bytes whatever. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace faultline {

enum DnsType : std::uint16_t {
  kDnsA = 1,
  kDnsAaaa = 28,
  kDnsSvcb = 64,
  kDnsHttps = 65,
  kDnsAny = 255,
};

inline constexpr std::size_t kDnsMaxMessage = 65535;

struct DnsQuestion {
  std::string name;  // "www.example.com"; lower case; bytes that a label should not have as \DDD
  std::uint16_t type = 0;
  std::uint16_t rr_class = 0;  // 1: the Internet
  std::size_t end = 0;         // of the question within the message
  bool edns = false;           // the query carries an OPT record, so the answer has to
};

// nullopt unless it is a standard query with one well-formed question; what follows the question may be
// anything.
std::optional<DnsQuestion> read_question(std::string_view message);

enum DnsRcode : std::uint8_t { kDnsNoError = 0, kDnsServfail = 2, kDnsNxdomain = 3 };

// An answer without records. No SOA either, so nobody keeps it beyond the fault.
std::string empty_answer(std::string_view query, const DnsQuestion& question, DnsRcode rcode);

struct DnsAddresses {
  std::vector<std::array<unsigned char, 4>> v4;
  std::vector<std::array<unsigned char, 16>> v6;
};

// So many of each family fit into any answer over UDP together with the longest name.
inline constexpr std::size_t kDnsMaxAddresses = 8;

// Whether address_answer has something to say to such a question: its answer would hold, or lead to,
// addresses.
bool asks_for_addresses(const DnsQuestion& question);

// The addresses of the families asked for, kept for one second by whoever keeps answers; none for a family
// without.
std::string address_answer(std::string_view query, const DnsQuestion& question,
                           const DnsAddresses& addresses);

}  // namespace faultline
