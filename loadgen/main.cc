// faultline-load: sends load and tells how it was answered.
#include <csignal>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <thread>

#include "common/version.h"
#include "loadgen/cli/options.h"
#include "loadgen/engine/load.h"
#include "loadgen/report/text.h"

namespace faultline {
namespace {

enum Exit { kOk = 0, kUnanswered = 1, kBadUsage = 2, kInvalid = 4, kInfrastructure = 7 };

std::atomic<bool> stop = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  stop = true;
}

int complain(const Status& status, Exit code) {
  fmt::print(stderr, "faultline-load: {}\n", message_of(status));
  return code;
}

// Why the load is not what was asked for; empty: it is.
std::string judge(const Options& options, const Tally& tally) {
  const auto late = Nanos(static_cast<Nanos::rep>(tally.lateness.quantile(0.99)));
  if (tally.lateness.count() == 0 || late <= options.lateness_budget) return "";
  return fmt::format("1 % of the requests were taken up {:.3f} ms late or later; the budget is {:.3f} ms",
                     static_cast<double>(late.count()) / 1e6,
                     static_cast<double>(options.lateness_budget.count()) / 1e6);
}

StatusOr<LoadResult> run(const Options& options) {
  FL_ASSIGN_OR_RETURN(const Address to, resolve(options.url.host, options.url.port));
  const bool open_loop = options.rate > 0;
  FL_ASSIGN_OR_RETURN(
      const Schedule schedule,
      Schedule::make({{.length = options.length, .from_rate = options.rate, .to_rate = options.rate}}));
  const auto wire = std::make_shared<const std::string>(to_http1(options.request));
  const bool is_head = options.request.method == "HEAD";
  FL_ASSIGN_OR_RETURN(LoadDone done, run_load(
                                         {.to = to,
                                          .connections = options.connections,
                                          .workers = options.workers,
                                          .depth = options.depth,
                                          .schedule = open_loop ? &schedule : nullptr,
                                          .poisson = options.poisson,
                                          .length = options.length,
                                          .timeout = options.timeout,
                                          .connect_timeout = options.connect_timeout,
                                          .most_waiting = options.most_waiting,
                                          .digits = options.digits},
                                         [&] { return std::make_unique<Http1>(wire, is_head); }, stop));
  return LoadResult{.url = options.url_text,
                    .open_loop = open_loop,
                    .length = options.length,
                    .took = done.took,
                    .invalid = judge(options, done.tally),
                    .tally = std::move(done.tally)};
}

int main(int argc, char** argv) {
  CLI::App app("Sends load over io_uring and tells how it was answered.");
  app.set_version_flag("--version", "faultline-load " FAULTLINE_VERSION);
  Options options;
  declare_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kOk : kBadUsage;
  }
  if (const Status checked = check_options(options); !checked.ok()) return complain(checked, kBadUsage);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  const auto result = run(options);
  if (!result.ok()) return complain(result.status(), kInfrastructure);
  std::fputs((options.json ? to_json(*result) : to_text(*result)).c_str(), stdout);
  if (!result->invalid.empty()) return kInvalid;
  return result->tally.answered > 0 ? kOk : kUnanswered;
}

}  // namespace
}  // namespace faultline

int main(int argc, char** argv) {
  return faultline::main(argc, argv);
}
