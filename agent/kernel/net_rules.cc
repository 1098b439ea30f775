#include "agent/kernel/net_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <compare>
#include <functional>
#include <optional>

namespace faultline {
namespace {

// Both ends included.
template <typename Key>
struct Span {
  Key first;
  Key last;
};

struct Key6 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const Key6&, const Key6&) = default;
};

std::optional<std::uint32_t> next(std::uint32_t key) {
  return key == UINT32_MAX ? std::nullopt : std::optional(key + 1);
}
std::optional<Key6> next(Key6 key) {
  if (key.low != UINT64_MAX) return Key6{key.high, key.low + 1};
  return key.high == UINT64_MAX ? std::nullopt : std::optional(Key6{key.high + 1, 0});
}

// The part of one filter that looks at this key.
template <typename Key>
struct Condition {
  bool any = false;
  std::vector<Span<Key>> in;
  std::vector<Span<Key>> out;

  bool accepts(const Key& key) const {
    const auto holds = [&](const Span<Key>& s) { return s.first <= key && key <= s.last; };
    return (any || std::any_of(in.begin(), in.end(), holds)) && std::none_of(out.begin(), out.end(), holds);
  }
};

Span<std::uint32_t> span4(const IpNetwork& network) {
  const std::uint32_t first = ntohl(network.addr[0]);
  return {first, first | ~ntohl(network.mask[0])};
}

Key6 key6(const std::array<std::uint32_t, 4>& words) {
  return {std::uint64_t{ntohl(words[0])} << 32 | ntohl(words[1]),
          std::uint64_t{ntohl(words[2])} << 32 | ntohl(words[3])};
}

Span<Key6> span6(const IpNetwork& network) {
  const Key6 first = key6(network.addr);
  const Key6 mask = key6(network.mask);
  return {first, {first.high | ~mask.high, first.low | ~mask.low}};
}

template <typename Key, typename ToSpan>
Condition<Key> by_peer(const PacketMatch& match, bool v6, ToSpan to_span) {
  Condition<Key> condition;
  condition.any = match.peers.empty();
  for (const IpNetwork& peer : match.peers) {
    if (peer.v6 == v6) condition.in.push_back(to_span(peer));
  }
  for (const IpNetwork& peer : match.except) {
    if (peer.v6 == v6) condition.out.push_back(to_span(peer));
  }
  return condition;
}

Condition<std::uint32_t> by_port(const std::vector<PortSpan>& ports) {
  Condition<std::uint32_t> condition;
  condition.any = ports.empty();
  for (const PortSpan& span : ports) condition.in.push_back({span.first, span.last});
  return condition;
}

void set_start(fl_net_span6& span, const Key6& key) {
  span.high = key.high;
  span.low = key.low;
}
void set_start(fl_net_span& span, std::uint32_t key) {
  span.start = key;
}

// The greatest key, for the unused places of an index.
template <typename Key>
Key greatest();
template <>
std::uint32_t greatest() {
  return UINT32_MAX;
}
template <>
Key6 greatest() {
  return {UINT64_MAX, UINT64_MAX};
}

template <typename Key, typename Spans>
Status fill(const std::vector<Condition<Key>>& conditions, Spans& spans) {
  std::vector<Key> starts;
  for (const Condition<Key>& condition : conditions) {
    for (const auto* list : {&condition.in, &condition.out}) {
      for (const Span<Key>& span : *list) {
        starts.push_back(span.first);
        if (const auto after = next(span.last)) starts.push_back(*after);
      }
    }
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  if (starts.size() >= FL_NET_SPANS) {
    return make_error(StatusCode::kResourceExhausted, "too many different addresses or ports on one target");
  }
  const auto set_at = [&](const Key& key) {
    std::uint32_t set = 0;
    for (std::size_t bit = 0; bit < conditions.size(); ++bit) {
      if (conditions[bit].accepts(key)) set |= 1u << bit;
    }
    return set;
  };
  std::uint32_t set = set_at(Key{});  // below the first start, if that is not the least key anyway
  for (std::size_t i = 0; i < FL_NET_SPANS; ++i) {
    set_start(spans.span[i], i < starts.size() ? starts[i] : greatest<Key>());
    spans.span[i].set = set;
    if (i < starts.size()) set = set_at(starts[i]);
  }
  spans.count = static_cast<__u32>(starts.size());
  return ok_status();
}

}  // namespace

std::size_t rules_in(const PacketMatch& match) {
  return std::max<std::size_t>(
      1, match.peers.size() + match.except.size() + match.ports.size() + match.local_ports.size());
}

Status build_index(std::span<const PacketMatch* const> matches, fl_net_index& index) {
  if (matches.size() > FL_NET_MAX_FAULTS) {
    return make_error(StatusCode::kResourceExhausted, "at most {} faults on one target", FL_NET_MAX_FAULTS);
  }
  std::vector<Condition<std::uint32_t>> v4;
  std::vector<Condition<Key6>> v6;
  std::vector<Condition<std::uint32_t>> peer_port;
  std::vector<Condition<std::uint32_t>> local_port;
  index.portless = 0;
  index.by_port = 0;
  std::fill(std::begin(index.protocol), std::end(index.protocol), 0);
  for (std::size_t bit = 0; bit < matches.size(); ++bit) {
    const PacketMatch& match = *matches[bit];
    v4.push_back(by_peer<std::uint32_t>(match, false, span4));
    v6.push_back(by_peer<Key6>(match, true, span6));
    peer_port.push_back(by_port(match.ports));
    local_port.push_back(by_port(match.local_ports));
    const bool portless = match.ports.empty() && match.local_ports.empty();
    if (portless) index.portless |= 1u << bit;
    index.by_port |= !portless;
    for (int protocol = 0; protocol < FL_NET_PROTOCOLS; ++protocol) {
      if (match.protocol == FL_NET_PROTO_ANY || match.protocol == protocol)
        index.protocol[protocol] |= 1u << bit;
    }
  }
  FL_RETURN_IF_ERROR(fill(v4, index.ipv4));
  FL_RETURN_IF_ERROR(fill(v6, index.ipv6));
  FL_RETURN_IF_ERROR(fill(peer_port, index.peer_port));
  return fill(local_port, index.local_port);
}

std::uint64_t dice_threshold(double probability) {
  constexpr double kAlways = 4294967296.0;  // 2^32
  return static_cast<std::uint64_t>(std::clamp(probability, 0.0, 1.0) * kAlways + 0.5);
}

}  // namespace faultline
