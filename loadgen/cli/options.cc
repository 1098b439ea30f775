#include "loadgen/cli/options.h"

#include <CLI/Error.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

namespace faultline {
namespace {

StatusOr<double> unit_of(std::string_view& rest) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                                                            {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
  const std::size_t end = std::min(rest.find_first_of("0123456789."), rest.size());
  const std::string_view unit = rest.substr(0, end);
  rest.remove_prefix(end);
  for (const auto& [name, ns] : kUnits) {
    if (unit == name) return ns;
  }
  return invalid_argument("a length needs a unit: ns, us, ms, s, m or h");
}

void add_length(CLI::App& app, const std::string& name, Nanos& into, const std::string& what) {
  app.add_option_function<std::string>(
         name,
         [&into, name](const std::string& text) {
           const auto length = parse_length(text);
           if (!length.ok()) throw CLI::ValidationError(name, message_of(length.status()));
           into = *length;
         },
         what)
      ->type_name("TIME");
}

void add_field(Options& options, const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto clean = [](std::string_view part) {
    return std::none_of(part.begin(), part.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  };
  if (colon == 0 || colon == std::string::npos || !clean(text)) {
    throw CLI::ValidationError("--header", "'" + text + "' is not of the form 'Name: value'");
  }
  const std::size_t value = text.find_first_not_of(" \t", colon + 1);
  options.request.fields.emplace_back(text.substr(0, colon),
                                      value == std::string::npos ? "" : text.substr(value));
}

}  // namespace

StatusOr<Nanos> parse_length(std::string_view text) {
  double sum = 0;
  std::string_view rest = text;
  if (rest.empty()) return invalid_argument("a length is missing");
  while (!rest.empty()) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (error != std::errc() || number < 0) return invalid_argument("'{}' is no length of time", text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty() && sum == 0) {
      sum = number * 1e9;
      break;
    }
    const auto unit = unit_of(rest);
    if (!unit.ok()) return invalid_argument("'{}': {}", text, message_of(unit.status()));
    sum += number * *unit;
  }
  if (!std::isfinite(sum) || sum > 3.15e17) return invalid_argument("'{}' is more than ten years", text);
  return Nanos(std::llround(sum));
}

void declare_options(CLI::App& app, Options& options) {
  app.add_option("URL", options.url_text, "what to load: http://HOST[:PORT][/PATH]")->required();
  add_length(app, "-d,--duration", options.length, "how long [10s]");
  app.add_option(
         "-r,--rate", options.rate,
         "requests a second, sent when they are due whatever the answers do (open loop). Without it each "
         "connection asks again when it is answered (closed loop)")
      ->check(CLI::Range(0.001, 1e8));
  app.add_option("-c,--connections", options.connections, "connections, of all threads")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("-t,--threads", options.workers, "threads, each with a ring and a share of the rest")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("-p,--pipeline", options.depth, "requests outstanding on a connection")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option_function<std::uint64_t>(
      "--poisson", [&options](const std::uint64_t& seed) { options.poisson = seed; },
      "requests come by chance at that rate, a Poisson process; the number seeds it");
  add_length(app, "--timeout", options.timeout, "for an answer [10s]");
  add_length(app, "--connect-timeout", options.connect_timeout, "for a connection [3s]");
  app.add_option("--max-waiting", options.most_waiting,
                 "requests that are due and have no connection; beyond that they are shed, and counted")
      ->capture_default_str();
  add_length(
      app, "--lateness-budget", options.lateness_budget,
      "the load is INVALID, exit code 4, where 1 % of the requests are taken up later than this [5ms]");
  app.add_option("-X,--method", options.request.method, "")->capture_default_str();
  app.add_option_function<std::vector<std::string>>(
         "-H,--header",
         [&options](const std::vector<std::string>& fields) {
           for (const std::string& field : fields) add_field(options, field);
         },
         "'Name: value', again and again")
      ->allow_extra_args(false);
  app.add_option("-b,--body", options.request.body, "");
  app.add_option("--digits", options.digits, "significant digits of the histograms")
      ->check(CLI::Range(1, 4))
      ->capture_default_str();
  app.add_flag("--json", options.json, "the results as JSON");
}

Status check_options(Options& options) {
  FL_ASSIGN_OR_RETURN(options.url, parse_url(options.url_text));
  options.request.host = options.url.authority;
  options.request.path = options.url.path;
  const std::string& method = options.request.method;
  if (method.empty() ||
      !std::all_of(method.begin(), method.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return invalid_argument("--method: '{}' is no method", method);
  }
  if (options.length <= Nanos::zero()) return invalid_argument("--duration must be above zero");
  if (options.timeout <= Nanos::zero()) return invalid_argument("--timeout must be above zero");
  if (options.connect_timeout <= Nanos::zero())
    return invalid_argument("--connect-timeout must be above zero");
  if (options.poisson && options.rate == 0) return invalid_argument("--poisson needs a --rate");
  return ok_status();
}

}  // namespace faultline
