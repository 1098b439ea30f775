#include "loadgen/report/text.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

namespace faultline {
namespace {

constexpr double kQuantiles[] = {0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0};

std::string time(double ns) {
  if (ns < 1e3) return fmt::format("{:.0f} ns", ns);
  if (ns < 1e6) return fmt::format("{:.1f} us", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.2f} ms", ns / 1e6);
  return fmt::format("{:.2f} s", ns / 1e9);
}

double seconds(Nanos time) {
  return std::chrono::duration<double>(time).count();
}

double rate(std::uint64_t count, Nanos time) {
  return time > Nanos::zero() ? static_cast<double>(count) / seconds(time) : 0;
}

void put_histogram(std::string_view name, const Histogram& h, std::string& text) {
  if (h.count() == 0) return;
  fmt::format_to(std::back_inserter(text), "{}: mean {}, least {}\n ", name, time(h.mean()),
                 time(static_cast<double>(h.min())));
  for (const double q : kQuantiles) {
    fmt::format_to(std::back_inserter(text), " p{:g} {}{}", 100 * q, time(static_cast<double>(h.quantile(q))),
                   q < 1 ? "," : "\n");
  }
}

nlohmann::ordered_json json_of(const Histogram& h) {
  nlohmann::ordered_json json{{"count", h.count()},
                              {"min", h.min()},
                              {"max", h.max()},
                              {"mean", h.mean()},
                              {"deviation", h.deviation()}};
  for (const double q : kQuantiles) json["quantiles"][fmt::format("{:g}", q)] = h.quantile(q);
  return json;
}

}  // namespace

std::string to_text(const LoadResult& result) {
  const Tally& t = result.tally;
  std::string text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "{}, {} for {:g} s\n", result.url, result.open_loop ? "open loop" : "closed loop",
                 seconds(result.length));
  fmt::format_to(out, "requests: {} scheduled, {} sent, {} shed, {} unsent\n", t.scheduled, t.sent, t.shed,
                 t.unsent);
  fmt::format_to(out, "answers: {} ({:.1f} a second), {} good, {} failed, {} without an answer at the end\n",
                 t.answered, rate(t.answered, result.took), t.good, t.failed(), t.in_flight);
  for (const auto& [status, count] : t.statuses) fmt::format_to(out, "  status {}: {}\n", status, count);
  for (std::size_t i = 0; i < t.failures.size(); ++i) {
    if (t.failures[i] > 0) fmt::format_to(out, "  {}: {}\n", name_of(static_cast<Failure>(i)), t.failures[i]);
  }
  fmt::format_to(out, "connections: {} tried, {} failed\n", t.connects, t.connect_failures);
  for (std::size_t i = 0; i < t.connect_failed_by.size(); ++i) {
    if (t.connect_failed_by[i] > 0)
      fmt::format_to(out, "  {}: {}\n", name_of(static_cast<Failure>(i)), t.connect_failed_by[i]);
  }
  fmt::format_to(out, "bytes: {} out, {} in\n", t.bytes_out, t.bytes_in);
  if (result.open_loop) put_histogram("response time, from when it was due", t.response, text);
  put_histogram("service time, from when it was sent", t.service, text);
  if (result.open_loop) put_histogram("lateness of the generator", t.lateness, text);
  if (!result.invalid.empty()) fmt::format_to(out, "INVALID: {}\n", result.invalid);
  return text;
}

std::string to_json(const LoadResult& result) {
  const Tally& t = result.tally;
  nlohmann::ordered_json json{{"faultline_version", FAULTLINE_VERSION},
                              {"url", result.url},
                              {"loop", result.open_loop ? "open" : "closed"},
                              {"length_s", seconds(result.length)},
                              {"took_s", seconds(result.took)},
                              {"valid", result.invalid.empty()}};
  if (!result.invalid.empty()) json["invalid"] = result.invalid;
  json["requests"] = {{"scheduled", t.scheduled},
                      {"sent", t.sent},
                      {"shed", t.shed},
                      {"unsent", t.unsent},
                      {"answered", t.answered},
                      {"good", t.good},
                      {"failed", t.failed()},
                      {"in_flight", t.in_flight},
                      {"answered_per_s", rate(t.answered, result.took)}};
  for (const auto& [status, count] : t.statuses) json["statuses"][std::to_string(status)] = count;
  for (std::size_t i = 0; i < t.failures.size(); ++i) {
    if (t.failures[i] == 0) continue;
    json["failures"].push_back(
        {{"code", i}, {"name", name_of(static_cast<Failure>(i))}, {"count", t.failures[i]}});
  }
  json["connections"] = {{"tried", t.connects}, {"failed", t.connect_failures}};
  json["bytes"] = {{"out", t.bytes_out}, {"in", t.bytes_in}, {"bodies", t.body_bytes}};
  if (result.open_loop) json["response_ns"] = json_of(t.response);
  json["service_ns"] = json_of(t.service);
  if (result.open_loop) json["lateness_ns"] = json_of(t.lateness);
  json["connect_ns"] = json_of(t.connecting);
  return json.dump(2) + "\n";
}

}  // namespace faultline
