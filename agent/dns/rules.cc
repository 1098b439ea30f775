#include "agent/dns/rules.h"

#include <algorithm>

namespace faultline {
namespace {

bool concerns(const DnsRule& rule, const DnsQuestion& question, MonoTime now) {
  if (!fl_in_force(&rule.schedule, ktime_ns(now))) return false;
  if (rule.effect == DnsEffect::kAddress && !asks_for_addresses(question)) return false;
  return rule.names.empty() ||
         std::any_of(rule.names.begin(), rule.names.end(),
                     [&](const NamePattern& pattern) { return pattern.matches(question.name); });
}

DnsVerdict verdict_of(const DnsRule& rule, int place, std::string_view query, const DnsQuestion& question) {
  DnsVerdict verdict;
  switch (rule.effect) {
    case DnsEffect::kNxdomain:
      verdict.what = DnsVerdict::kAnswer;
      verdict.answer = empty_answer(query, question, kDnsNxdomain);
      break;
    case DnsEffect::kServfail:
      verdict.what = DnsVerdict::kAnswer;
      verdict.answer = empty_answer(query, question, kDnsServfail);
      break;
    case DnsEffect::kAddress:
      verdict.what = DnsVerdict::kAnswer;
      verdict.answer = address_answer(query, question, rule.addresses);
      break;
    case DnsEffect::kTimeout:
      verdict.what = DnsVerdict::kDrop;
      break;
    case DnsEffect::kDelay:
      verdict.what = DnsVerdict::kHold;
      verdict.hold = rule.delay;
      verdict.rule = place;
      break;
  }
  return verdict;
}

}  // namespace

void DnsRules::add(int place, DnsRule rule) {
  const std::lock_guard lock(mutex_);
  entries_.at(static_cast<std::size_t>(place)) =
      Entry{.rule = std::move(rule), .order = added_++, .evaluated_before = evaluated_};
}

void DnsRules::set_deadline(int place, MonoTime deadline) {
  const std::lock_guard lock(mutex_);
  entries_.at(static_cast<std::size_t>(place))->rule.schedule.deadline_ns = ktime_ns(deadline);
}

DnsCounters DnsRules::remove(int place) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_.at(static_cast<std::size_t>(place));
  const DnsCounters last = counters_of(*entry);
  entry.reset();
  return last;
}

DnsCounters DnsRules::counters(int place) const {
  const std::lock_guard lock(mutex_);
  return counters_of(*entries_.at(static_cast<std::size_t>(place)));
}

DnsCounters DnsRules::counters_of(const Entry& entry) const {
  return {
      .evaluated = evaluated_ - entry.evaluated_before, .matched = entry.matched, .injected = entry.injected};
}

DnsVerdict DnsRules::decide(std::string_view message, MonoTime now) {
  const std::optional<DnsQuestion> question = read_question(message);
  if (!question) return {};
  const std::lock_guard lock(mutex_);
  ++evaluated_;
  std::optional<Entry>* first = nullptr;
  for (auto& entry : entries_) {
    if (!entry || !concerns(entry->rule, *question, now)) continue;
    const auto rank = [](const Entry& e) {
      return std::pair(-static_cast<std::int64_t>(e.rule.priority), e.order);
    };
    if (!first || rank(*entry) < rank(**first)) first = &entry;
  }
  if (!first) return {};
  Entry& entry = **first;
  ++entry.matched;
  const std::uint64_t memory = entry.memory;
  entry.memory = fl_selection_next(&entry.rule.selection, entry.rule.seed, memory);
  if (!fl_selected(&entry.rule.selection, entry.rule.seed, memory)) return {};
  ++entry.injected;
  return verdict_of(entry.rule, static_cast<int>(first - entries_.data()), message, *question);
}

}  // namespace faultline
