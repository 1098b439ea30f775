// Faults of connections and of names: connect-error, reset, dns.
#include <algorithm>
#include <optional>

#include "controller/experiment/file/limits.h"
#include "controller/experiment/file/network_faults.h"
#include "controller/experiment/file/network_filter.h"
#include "controller/experiment/file/selection.h"
#include "controller/experiment/file/to_proto.h"
#include "controller/experiment/ip_network.h"

namespace faultline {
namespace {

constexpr std::string_view kConnectErrors[] = {"ECONNREFUSED", "ETIMEDOUT",     "EHOSTUNREACH", "ENETUNREACH",
                                               "ECONNRESET",   "EADDRNOTAVAIL", "EACCES"};
constexpr Word<v1::DnsAnswer> kDnsAnswers[] = {{"nxdomain", v1::DNS_ANSWER_NXDOMAIN},
                                               {"servfail", v1::DNS_ANSWER_SERVFAIL},
                                               {"timeout", v1::DNS_ANSWER_TIMEOUT},
                                               {"delay", v1::DNS_ANSWER_DELAY},
                                               {"address", v1::DNS_ANSWER_ADDRESS}};

bool is_name_pattern(std::string_view text) {
  constexpr std::size_t kMaxName = 253;
  return text.size() <= kMaxName && text.find("..") == std::string_view::npos && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.' || c == '*' || c == '?';
         });
}

Status read_names(const Fields& fields, v1::Dns& dns) {
  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> items, fields.list("names"));
  if (items.size() > kMaxDnsNames) {
    return error_at(fields.at("names").pos, "names: more than {}", kMaxDnsNames);
  }
  for (const YamlNode& item : items) {
    FL_ASSIGN_OR_RETURN(const std::string text, read_text(item, "names"));
    if (!is_name_pattern(text)) {
      return error_at(item.pos, "names: '{}' is not a name or a pattern with * and ?", text);
    }
    dns.add_names(text);
  }
  return ok_status();
}

// `key` goes with that answer: it is needed there and has no meaning elsewhere.
Status check_goes_with(const Fields& fields, std::string_view key, bool given, bool answers_so) {
  if (answers_so && !given) {
    return error_at(fields.at("answer").pos, "answer: needs '{}' beside it", key);
  }
  if (given && !answers_so) {
    return error_at(fields.at(key).pos, "{}: goes only with 'answer: {}'", key,
                    key == "delay" ? "delay" : "address");
  }
  return ok_status();
}

Status read_addresses(const Fields& fields, v1::Dns& dns) {
  FL_ASSIGN_OR_RETURN(const std::span<const YamlNode> items, fields.list("addresses"));
  std::size_t of_ipv4 = 0;
  std::size_t of_ipv6 = 0;
  for (const YamlNode& item : items) {
    FL_ASSIGN_OR_RETURN(const std::string text, read_text(item, "addresses"));
    const std::optional<IpNetwork> address = parse_ip_address(text);
    if (!address) return error_at(item.pos, "addresses: '{}' is not an address", text);
    if (++(address->ipv6 ? of_ipv6 : of_ipv4) > kMaxDnsAddresses) {
      return error_at(item.pos, "addresses: more than {} of {}", kMaxDnsAddresses,
                      address->ipv6 ? "IPv6" : "IPv4");
    }
    dns.add_addresses(text);
  }
  return ok_status();
}

}  // namespace

StatusOr<v1::FaultSpec> read_connect_error(const Fields& fields) {
  v1::FaultSpec spec;
  FL_ASSIGN_OR_RETURN(const std::string error, read_word(fields.at("error"), "error", kConnectErrors));
  spec.mutable_connect_error()->set_error(error);
  FL_ASSIGN_OR_RETURN(*spec.mutable_connect_error()->mutable_traffic(),
                      read_network_filter(fields.find("traffic"), Concerns::kAttempts));
  return spec;
}

StatusOr<v1::FaultSpec> read_reset(const Fields& fields) {
  v1::FaultSpec spec;
  if (const YamlNode* node = fields.find("every")) {
    FL_ASSIGN_OR_RETURN(const Nanos every, read_duration(*node, "every", kResetRange));
    *spec.mutable_reset()->mutable_every() = to_proto(every);
  }
  FL_ASSIGN_OR_RETURN(*spec.mutable_reset()->mutable_traffic(),
                      read_network_filter(fields.find("traffic"), Concerns::kTcpConnections));
  return spec;
}

StatusOr<v1::FaultSpec> read_dns(const Fields& fields) {
  v1::FaultSpec spec;
  v1::Dns& dns = *spec.mutable_dns();
  FL_ASSIGN_OR_RETURN(const v1::DnsAnswer answer, read_meaning(fields.at("answer"), "answer", kDnsAnswers));
  dns.set_answer(answer);
  FL_RETURN_IF_ERROR(
      check_goes_with(fields, "delay", fields.find("delay") != nullptr, answer == v1::DNS_ANSWER_DELAY));
  FL_RETURN_IF_ERROR(check_goes_with(fields, "addresses", fields.find("addresses") != nullptr,
                                     answer == v1::DNS_ANSWER_ADDRESS));
  FL_RETURN_IF_ERROR(read_names(fields, dns));
  if (const YamlNode* node = fields.find("delay")) {
    FL_ASSIGN_OR_RETURN(const Nanos delay, read_duration(*node, "delay", kWaitRange));
    *dns.mutable_delay() = to_proto(delay);
  }
  FL_RETURN_IF_ERROR(read_addresses(fields, dns));
  if (!fields.choice().empty()) {
    FL_ASSIGN_OR_RETURN(*dns.mutable_queries(), read_selection(fields));
  }
  return spec;
}

}  // namespace faultline
