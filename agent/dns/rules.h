// What a responder does with each query: the DNS faults of one target, in their order. Needs no sockets.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/dns/message.h"
#include "agent/dns/name_pattern.h"
#include "bpf/abi/schedule.h"
#include "bpf/abi/selection.h"
#include "common/clock.h"

namespace faultline {

enum class DnsEffect { kNxdomain, kServfail, kTimeout, kDelay, kAddress };

struct DnsRule {
  std::vector<NamePattern> names;  // none: every name
  DnsEffect effect = DnsEffect::kNxdomain;
  Nanos delay{};           // of kDelay
  DnsAddresses addresses;  // of kAddress, which concerns only queries for addresses
  fl_selection selection{};
  std::uint64_t seed = 0;
  int priority = 0;
  fl_schedule schedule{};
};

struct DnsCounters {
  std::uint64_t evaluated = 0;  // queries while the rule was there
  std::uint64_t matched = 0;    // of them, those for its names while it was in force
  std::uint64_t injected = 0;
};

struct DnsVerdict {
  enum What { kForward, kAnswer, kDrop, kHold };
  What what = kForward;
  std::string answer;  // of kAnswer
  Nanos hold{};        // of kHold: forwarded after that
  int rule = -1;       // of kHold
};

// Threads: any.
class DnsRules {
 public:
  static constexpr int kMaxRules = 8;

  // `place` must be free; it names the rule in the calls below.
  void add(int place, DnsRule rule);
  void set_deadline(int place, MonoTime deadline);
  // Its last counters.
  DnsCounters remove(int place);
  DnsCounters counters(int place) const;

  // Of the rules in force that have the query's name, the one with the highest priority decides, then the
  // earliest.
  DnsVerdict decide(std::string_view message, MonoTime now);

 private:
  struct Entry {
    DnsRule rule;
    std::uint64_t order = 0;
    std::uint64_t evaluated_before = 0;
    std::uint64_t memory = 0;  // of the selection
    std::uint64_t matched = 0;
    std::uint64_t injected = 0;
  };
  DnsCounters counters_of(const Entry& entry) const;

  mutable std::mutex mutex_;
  std::array<std::optional<Entry>, kMaxRules> entries_;
  std::uint64_t evaluated_ = 0;
  std::uint64_t added_ = 0;
};

}  // namespace faultline
