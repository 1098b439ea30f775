#include "controller/experiment/units.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace faultline {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanos;
};

// Longest first: format_duration() and the rule that units fall go by this order.
constexpr Unit kUnits[] = {{"h", 3'600'000'000'000}, {"m", 60'000'000'000}, {"s", 1'000'000'000},
                           {"ms", 1'000'000},        {"us", 1'000},         {"ns", 1}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Number {
  std::string_view whole;
  std::string_view decimals;  // without trailing zeros
};

class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }

  std::string_view take(bool (*accept)(char)) {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), accept);
    const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  // Digits, or digits, a dot and digits.
  std::optional<Number> take_number() {
    Number number;
    number.whole = take(is_digit);
    if (number.whole.empty()) return std::nullopt;
    if (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      number.decimals = take(is_digit);
      if (number.decimals.empty()) return std::nullopt;
      while (number.decimals.ends_with('0')) number.decimals.remove_suffix(1);
    }
    return number;
  }

 private:
  std::string_view rest_;
};

bool is_number(std::string_view text) {
  Cursor cursor(text);
  return cursor.take_number().has_value() && cursor.done();
}

std::optional<std::int64_t> to_integer(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

StatusOr<std::int64_t> to_nanos(const Number& number, const Unit& unit, std::string_view text) {
  const std::optional<std::int64_t> whole = to_integer(number.whole);
  std::int64_t nanos = 0;
  if (!whole || __builtin_mul_overflow(*whole, unit.nanos, &nanos)) {
    return invalid_argument("{} is too long for a duration", text);
  }
  std::int64_t decimal_nanos = 0;
  std::int64_t divisor = 1;
  bool exact = true;
  for (const char digit : number.decimals) {
    exact = exact && !__builtin_mul_overflow(divisor, 10, &divisor) &&
            !__builtin_mul_overflow(decimal_nanos, 10, &decimal_nanos) &&
            !__builtin_add_overflow(decimal_nanos, digit - '0', &decimal_nanos);
  }
  exact = exact && !__builtin_mul_overflow(decimal_nanos, unit.nanos, &decimal_nanos) &&
          decimal_nanos % divisor == 0;
  if (!exact) return invalid_argument("{} is finer than a nanosecond", text);
  if (__builtin_add_overflow(nanos, decimal_nanos / divisor, &nanos)) {
    return invalid_argument("{} is too long for a duration", text);
  }
  return nanos;
}

}  // namespace

StatusOr<Nanos> parse_duration(std::string_view text) {
  if (text.starts_with('-')) return invalid_argument("{} is negative", text);
  if (is_number(text)) return invalid_argument("{0} has no unit; write {0}ms, {0}us or {0}s", text);

  std::int64_t total = 0;
  const Unit* previous = nullptr;
  Cursor cursor(text);
  do {
    const std::optional<Number> number = cursor.take_number();
    if (!number) {
      return invalid_argument("'{}' is not a duration; write it like 200ms, 1.5s or 1m30s", text);
    }
    const std::string_view name = cursor.take(is_letter);
    const Unit* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                    [&](const Unit& candidate) { return candidate.name == name; });
    if (unit == std::end(kUnits)) {
      return name.empty()
                 ? invalid_argument("'{}' is not a duration; write it like 200ms, 1.5s or 1m30s", text)
                 : invalid_argument("{} has the unknown unit '{}'; units are h, m, s, ms, us, ns", text,
                                    name);
    }
    if (previous != nullptr && unit <= previous) {
      return invalid_argument("{}: units must fall from left to right, as in 1m30s", text);
    }
    previous = unit;
    FL_ASSIGN_OR_RETURN(const std::int64_t nanos, to_nanos(*number, *unit, text));
    if (__builtin_add_overflow(total, nanos, &total)) {
      return invalid_argument("{} is too long for a duration", text);
    }
  } while (!cursor.done());
  return Nanos(total);
}

std::string format_duration(Nanos duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    if (rest >= unit.nanos) {
      text += fmt::format("{}{}", rest / unit.nanos, unit.name);
      rest %= unit.nanos;
    }
  }
  return text;
}

StatusOr<double> parse_percentage(std::string_view text) {
  if (is_number(text)) {
    return invalid_argument("{} has no % sign; write a percentage from 0% to 100%, like 2.5%", text);
  }
  if (text.starts_with('-') && text.ends_with('%')) return invalid_argument("{} is below 0%", text);
  double value = 0;
  if (!text.ends_with('%') || !is_number(text.substr(0, text.size() - 1)) ||
      std::from_chars(text.data(), text.data() + text.size() - 1, value).ec != std::errc()) {
    return invalid_argument("'{}' is not a percentage; write it like 10% or 2.5%", text);
  }
  if (value > 100) return invalid_argument("{} is above 100%", text);
  return value / 100;
}

}  // namespace faultline
