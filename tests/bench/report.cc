#include "tests/bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

namespace faultline::bench {
namespace {

// Of each round on its own: what the machine did in that round cancels out.
std::optional<double> difference(const Measurement& m) {
  const std::size_t rounds = std::min(m.values.size(), m.peer_values.size());
  if (m.peer.empty() || rounds == 0) return std::nullopt;
  Samples samples;
  for (std::size_t i = 0; i < rounds; ++i) samples.push_back(m.values[i] - m.peer_values[i]);
  return median(std::move(samples));
}

std::optional<double> ratio(const Measurement& m) {
  const double peer = median(m.peer_values);
  if (m.peer.empty() || peer == 0) return std::nullopt;
  return median(m.values) / peer;
}

std::string budget_text(const Measurement& m) {
  switch (m.budget.of) {
    case Budget::Of::kRatio:
      return fmt::format("ratio <= {:g}", m.budget.at_most);
    case Budget::Of::kDifference:
      return fmt::format("difference <= {:g} {}", m.budget.at_most, m.unit);
    case Budget::Of::kNone:
      break;
  }
  return "";
}

std::optional<bool> met(const Measurement& m) {
  if (m.budget.of == Budget::Of::kNone) return std::nullopt;
  const auto measured = m.budget.of == Budget::Of::kRatio ? ratio(m) : difference(m);
  return measured && *measured <= m.budget.at_most;
}

// "70.1 (65.0..91.2)": the median, and between which values nine of ten samples are.
std::string text_of(const Samples& samples) {
  if (samples.empty()) return "";
  return fmt::format("{:.2f} ({:.2f}..{:.2f})", median(samples), quantile(samples, 0.05),
                     quantile(samples, 0.95));
}

}  // namespace

double quantile(Samples samples, double q) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const double place = q * static_cast<double>(samples.size() - 1);
  const std::size_t below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, samples.size() - 1);
  return samples[below] + (samples[above] - samples[below]) * (place - static_cast<double>(below));
}

double median(Samples samples) {
  return quantile(std::move(samples), 0.5);
}

double spread(Samples samples) {
  return quantile(samples, 0.75) - quantile(samples, 0.25);
}

Report::Report(std::string name, std::string about) : name_(std::move(name)), about_(std::move(about)) {}

void Report::add(Measurement measurement) {
  measurements_.push_back(std::move(measurement));
}

void Report::note(std::string line) {
  notes_.push_back(std::move(line));
}

std::string Report::table() const {
  std::vector<std::vector<std::string>> rows{
      {"metric", "median (p05..p95)", "", "peer", "median (p05..p95)", "difference", "ratio", "budget"}};
  for (const Measurement& m : measurements_) {
    const auto more = difference(m);
    const auto times = ratio(m);
    const auto kept = met(m);
    rows.push_back({m.metric, text_of(m.values), m.unit, m.peer, text_of(m.peer_values),
                    more ? fmt::format("{:+.2f}", *more) : "", times ? fmt::format("{:.3f}", *times) : "",
                    kept ? fmt::format("{}: {}", budget_text(m), *kept ? "met" : "MISSED") : ""});
  }
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  constexpr std::string_view kLeft[] = {"metric", "", "peer", "budget"};
  std::string text = fmt::format("{}: {}\n", name_, about_);
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool left = std::find(std::begin(kLeft), std::end(kLeft), rows[0][i]) != std::end(kLeft);
      line += left ? fmt::format("{:<{}}  ", row[i], widths[i]) : fmt::format("{:>{}}  ", row[i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  for (const std::string& note : notes_) text += note + "\n";
  return text;
}

std::string Report::json() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Measurement& m : measurements_) {
    nlohmann::ordered_json row = {{"metric", m.metric}, {"value", median(m.values)}, {"unit", m.unit}};
    const auto set = [&row](const char* key, const auto& value) {
      if (value)
        row[key] = *value;
      else
        row[key] = nullptr;
    };
    const auto times = ratio(m);
    set("peer", m.peer.empty() ? std::nullopt : std::optional(m.peer));
    set("peer_value", m.peer.empty() ? std::nullopt : std::optional(median(m.peer_values)));
    set("ratio", times);
    row["spread"] = spread(m.values);
    row["p05"] = quantile(m.values, 0.05);
    row["p95"] = quantile(m.values, 0.95);
    const std::string budget = budget_text(m);
    set("budget", budget.empty() ? std::nullopt : std::optional(budget));
    set("met", met(m));
    list.push_back(std::move(row));
  }
  return list.dump(2) + "\n";
}

int Report::finish(const std::string& folder) const {
  fmt::print("{}\n", table());
  std::fflush(stdout);
  const std::string path = folder + "/" + name_ + ".json";
  std::ofstream file(path);
  file << json();
  file.close();
  if (!file) {
    fmt::print(stderr, "cannot write {}\n", path);
    return 1;
  }
  return 0;
}

}  // namespace faultline::bench
