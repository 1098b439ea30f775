#include "controller/report/format.h"

#include <fmt/format.h>

#include <ctime>

namespace faultline {

std::string iso8601(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto nanos = std::chrono::duration_cast<Nanos>(time - whole).count();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, nanos);
}

std::string duration_text(Nanos duration) {
  const auto ns = static_cast<double>(duration.count());
  const double size = ns < 0 ? -ns : ns;
  if (size < 1e3) return fmt::format("{} ns", duration.count());
  if (size < 1e6) return fmt::format("{:.1f} us", ns / 1e3);
  if (size < 1e9) return fmt::format("{:.1f} ms", ns / 1e6);
  return fmt::format("{:.2f} s", ns / 1e9);
}

std::string seconds_text(Nanos duration) {
  return fmt::format("{:.3f}", static_cast<double>(duration.count()) / 1e9);
}

std::string clock_text(const NodeClock& clock) {
  return fmt::format("{}{} +- {}", clock.offset < Nanos::zero() ? "" : "+", duration_text(clock.offset),
                     duration_text(clock.uncertainty));
}

std::string number_text(double value) {
  return fmt::format("{:.4g}", value);
}

const char* to_string(Interruption interruption) {
  switch (interruption) {
    case Interruption::kNone:
      return "none";
    case Interruption::kPrecondition:
      return "precondition";
    case Interruption::kStopCondition:
      return "stop condition";
    case Interruption::kHalt:
      return "halt";
    case Interruption::kSignal:
      return "signal";
    case Interruption::kInfrastructure:
      return "infrastructure";
  }
  return "?";
}

std::string enum_word(const std::string& name, std::string_view prefix) {
  std::string word = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return word;
}

}  // namespace faultline
