#include "controller/experiment/sizes.h"

#include <algorithm>
#include <charconv>
#include <span>

namespace faultline {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr Unit kBandwidthUnits[] = {
    {"bit", 1}, {"kbit", 1'000}, {"mbit", 1'000'000}, {"gbit", 1'000'000'000}};
constexpr Unit kSizeUnits[] = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

// What a text is to be, in the words of its errors.
struct Form {
  std::string_view what;
  std::string_view example;
  std::string_view units;
  std::string_view smallest;
};

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

StatusOr<std::uint64_t> to_integer(std::string_view digits, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc()) return invalid_argument("{} is too large", text);
  return value;
}

StatusOr<std::uint64_t> parse(std::string_view text, std::span<const Unit> units, const Form& form) {
  const std::string_view number =
      text.substr(0, std::min(text.find_first_not_of("0123456789."), text.size()));
  const std::string_view name = text.substr(number.size());
  const std::size_t dot = number.find('.');
  const std::string_view whole = number.substr(0, dot);
  std::string_view decimals = dot == std::string_view::npos ? "0" : number.substr(dot + 1);
  if (!is_digits(whole) || !is_digits(decimals)) {
    return invalid_argument("'{}' is not a {}; write it like {}", text, form.what, form.example);
  }
  if (name.empty()) return invalid_argument("{} has no unit; write it like {}", text, form.example);
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& candidate) { return candidate.name == name; });
  if (unit == units.end()) {
    return invalid_argument("{} has the unknown unit '{}'; units are {}", text, name, form.units);
  }

  FL_ASSIGN_OR_RETURN(std::uint64_t value, to_integer(whole, text));
  if (__builtin_mul_overflow(value, unit->factor, &value)) {
    return invalid_argument("{} is too large", text);
  }
  std::uint64_t rest = unit->factor;  // the factor times the decimals, digit by digit
  std::uint64_t divisor = 1;
  std::uint64_t part = 0;
  while (decimals.ends_with('0')) decimals.remove_suffix(1);
  for (const char digit : decimals) {
    if (__builtin_mul_overflow(divisor, 10, &divisor) || __builtin_mul_overflow(part, 10, &part)) rest = 0;
    part += static_cast<std::uint64_t>(digit - '0');
  }
  if (rest == 0 || __builtin_mul_overflow(part, rest, &part) || part % divisor != 0) {
    return invalid_argument("{} is finer than one {}", text, form.smallest);
  }
  if (__builtin_add_overflow(value, part / divisor, &value)) {
    return invalid_argument("{} is too large", text);
  }
  return value;
}

}  // namespace

StatusOr<std::uint64_t> parse_bandwidth(std::string_view text) {
  return parse(text, kBandwidthUnits,
               {"bandwidth", "10mbit or 512kbit (per second)", "bit, kbit, mbit, gbit (per second)", "bit"});
}

StatusOr<std::uint64_t> parse_size(std::string_view text) {
  return parse(text, kSizeUnits, {"size", "32KiB or 1500B", "B, KiB, MiB, GiB", "byte"});
}

}  // namespace faultline
