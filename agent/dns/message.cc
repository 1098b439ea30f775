#include "agent/dns/message.h"

#include <fmt/format.h>

namespace faultline {
namespace {

constexpr std::size_t kHeader = 12;
constexpr unsigned kResponse = 0x8000, kOpcode = 0x7800, kRecursionDesired = 0x0100,
                   kCheckingDisabled = 0x0010;
constexpr unsigned kRecursionAvailable = 0x0080;
constexpr std::uint16_t kTypeOpt = 41;
constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kUdpSize = 1232;

unsigned byte_at(std::string_view m, std::size_t at) {
  return static_cast<unsigned char>(m[at]);
}
std::uint16_t word_at(std::string_view m, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(m, at) << 8 | byte_at(m, at + 1));
}
void put(std::string& to, unsigned value) {
  to.push_back(static_cast<char>(value >> 8));
  to.push_back(static_cast<char>(value));
}

void append_label(std::string& name, std::string_view label) {
  if (!name.empty()) name.push_back('.');
  for (const char c : label) {
    const bool plain = c > ' ' && c < 0x7f && c != '.' && c != '\\';
    if (plain) {
      name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    } else {
      name += fmt::format("\\{:03}", static_cast<unsigned char>(c));
    }
  }
}

// Where the name that begins at `at` ends; nullopt: it does not.
std::optional<std::size_t> skip_name(std::string_view m, std::size_t at) {
  while (at < m.size()) {
    const unsigned length = byte_at(m, at);
    if (length == 0) return at + 1;
    if (length >= 0xc0) return at + 2 <= m.size() ? std::optional(at + 2) : std::nullopt;
    if (length > 63) return std::nullopt;
    at += 1 + length;
  }
  return std::nullopt;
}

bool has_opt_record(std::string_view m, std::size_t at) {
  const unsigned records = word_at(m, 6) + word_at(m, 8) + word_at(m, 10);
  for (unsigned i = 0; i < records; ++i) {
    const auto end = skip_name(m, at);
    if (!end || *end + 10 > m.size()) return false;
    if (word_at(m, *end) == kTypeOpt) return true;
    at = *end + 10 + word_at(m, *end + 8);
  }
  return false;
}

std::string answer_of(std::string_view query, const DnsQuestion& question, unsigned rcode, unsigned records,
                      std::string_view body) {
  std::string answer(query.substr(0, 2));
  put(answer, kResponse | (word_at(query, 2) & (kRecursionDesired | kCheckingDisabled)) |
                  kRecursionAvailable | rcode);
  put(answer, 1);
  put(answer, records);
  put(answer, 0);
  put(answer, question.edns ? 1 : 0);
  answer += query.substr(kHeader, question.end - kHeader);
  answer += body;
  if (question.edns) {
    answer.push_back('\0');  // the root
    put(answer, kTypeOpt);
    put(answer, kUdpSize);
    answer.append(6, '\0');  // extended rcode, version, flags, no options
  }
  return answer;
}

}  // namespace

std::optional<DnsQuestion> read_question(std::string_view message) {
  if (message.size() < kHeader || message.size() > kDnsMaxMessage) return std::nullopt;
  if (word_at(message, 2) & (kResponse | kOpcode) || word_at(message, 4) != 1) return std::nullopt;
  DnsQuestion question;
  std::size_t at = kHeader;
  for (;;) {
    if (at >= message.size()) return std::nullopt;
    const unsigned length = byte_at(message, at++);
    if (length == 0) break;
    // No pointers: there is no earlier name that one could point to.
    if (length > 63 || at + length > message.size() || at + length - kHeader > 254) return std::nullopt;
    append_label(question.name, message.substr(at, length));
    at += length;
  }
  if (at + 4 > message.size()) return std::nullopt;
  question.type = word_at(message, at);
  question.rr_class = word_at(message, at + 2);
  question.end = at + 4;
  question.edns = has_opt_record(message, question.end);
  return question;
}

std::string empty_answer(std::string_view query, const DnsQuestion& question, DnsRcode rcode) {
  return answer_of(query, question, rcode, 0, {});
}

bool asks_for_addresses(const DnsQuestion& question) {
  if (question.rr_class != kInternet) return false;
  switch (question.type) {
    case kDnsA:
    case kDnsAaaa:
    case kDnsAny:
    case kDnsSvcb:
    case kDnsHttps:
      return true;
    default:
      return false;
  }
}

std::string address_answer(std::string_view query, const DnsQuestion& question,
                           const DnsAddresses& addresses) {
  std::string body;
  unsigned records = 0;
  const auto add = [&](DnsType type, const auto& address) {
    put(body, 0xc000 | kHeader);  // the name of the question
    put(body, type);
    put(body, kInternet);
    put(body, 0);
    put(body, 1);  // seconds to live
    put(body, static_cast<unsigned>(address.size()));
    body.append(address.begin(), address.end());
    ++records;
  };
  if (question.type == kDnsA || question.type == kDnsAny) {
    for (const auto& address : addresses.v4) add(kDnsA, address);
  }
  if (question.type == kDnsAaaa || question.type == kDnsAny) {
    for (const auto& address : addresses.v6) add(kDnsAaaa, address);
  }
  return answer_of(query, question, kDnsNoError, records, body);
}

}  // namespace faultline
