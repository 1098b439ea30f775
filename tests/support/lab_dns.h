// DNS messages for the lab, written apart from the product's own.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

namespace faultline::testing {

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeAaaa = 28;

inline void put16(std::string& to, unsigned value) {
  to.push_back(static_cast<char>(value >> 8));
  to.push_back(static_cast<char>(value));
}
inline unsigned get16(const std::string& from, std::size_t at) {
  return static_cast<unsigned>(static_cast<unsigned char>(from.at(at))) << 8 |
         static_cast<unsigned char>(from.at(at + 1));
}

// With EDNS: an OPT record of 1232 bytes.
inline std::string dns_question(unsigned id, const std::string& name, unsigned type) {
  std::string message;
  put16(message, id);
  put16(message, 0x0100);  // recursion desired
  for (const unsigned count : {1u, 0u, 0u, 1u}) put16(message, count);
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t dot = std::min(name.find('.', at), name.size());
    message.push_back(static_cast<char>(dot - at));
    message.append(name, at, dot - at);
    at = dot + 1;
  }
  message.push_back('\0');
  put16(message, type);
  put16(message, 1);
  message.append("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
  return message;
}

inline std::size_t end_of_question(const std::string& message) {
  std::size_t at = 12;
  while (message.at(at) != '\0') at += 1 + static_cast<unsigned char>(message.at(at));
  return at + 5;
}

inline std::string dns_true_answer(const std::string& query, int server, bool over_udp) {
  const std::size_t end = end_of_question(query);
  const unsigned type = get16(query, end - 4);
  const bool big = query.compare(13, 3, "big") == 0;
  unsigned count = type == kTypeA || type == kTypeAaaa ? 1 : 0;
  if (big) count = over_udp ? 0 : 200;
  std::string message = query.substr(0, 2);
  put16(message, 0x8180u | (big && over_udp ? 0x0200u : 0u));
  for (const unsigned n : {1u, count, 0u, 1u}) put16(message, n);
  message += query.substr(12, end - 12);
  for (unsigned i = 0; i < count; ++i) {
    message.append("\xc0\x0c", 2);
    put16(message, type);
    message.append("\0\1\0\0\0\x3c", 6);
    in6_addr address{};
    const std::string text = (type == kTypeA ? "192.0.2." : "2001:db8::") + std::to_string(server);
    ::inet_pton(type == kTypeA ? AF_INET : AF_INET6, text.c_str(), &address);
    const unsigned size = type == kTypeA ? 4 : 16;
    put16(message, size);
    message.append(reinterpret_cast<const char*>(&address), size);
  }
  return message + query.substr(end);
}

// "rcode=0 answers=1 tc=0 edns=1 first=192.0.2.1"
inline std::string dns_answer_text(const std::string& message) {
  const unsigned flags = get16(message, 2);
  const unsigned count = get16(message, 6);
  std::string text = "rcode=" + std::to_string(flags & 15) + " answers=" + std::to_string(count) +
                     " tc=" + std::to_string(flags >> 9 & 1) + " edns=" + std::to_string(get16(message, 10)) +
                     " first=";
  if (count == 0) return text + "-";
  const std::size_t record = end_of_question(message);
  const unsigned size = get16(message, record + 10);
  char address[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(size == 4 ? AF_INET : AF_INET6, message.data() + record + 12, address, sizeof address);
  return text + address;
}

}  // namespace faultline::testing
