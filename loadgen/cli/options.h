// The command line of faultline-load.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "loadgen/protocol/http1.h"
#include "loadgen/protocol/url.h"

namespace faultline {

struct Options {
  std::string url_text;
  Url url;
  HttpRequest request;
  std::uint32_t connections = 10;
  unsigned workers = 1;
  unsigned depth = 1;
  double rate = 0;  // 0: closed loop
  std::optional<std::uint64_t> poisson;
  Nanos length = std::chrono::seconds(10);
  Nanos timeout = std::chrono::seconds(10);
  Nanos connect_timeout = std::chrono::seconds(3);
  Nanos lateness_budget = std::chrono::milliseconds(5);
  std::size_t most_waiting = 65536;
  int digits = 3;
  bool json = false;
};

// "10s", "250ms", "1m30s", "1.5h"; a bare number is of seconds.
StatusOr<Nanos> parse_length(std::string_view text);

// Fills `app`, which writes into `options` when it parses. check_options() afterwards.
void declare_options(CLI::App& app, Options& options);
Status check_options(Options& options);

}  // namespace faultline
