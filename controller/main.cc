// faultline: the controller's command line.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include "common/log.h"
#include "controller/cli/command_line.h"
#include "controller/cli/commands.h"
#include "controller/cli/exit_code.h"

namespace faultline {
namespace {

template <typename... Callables>
struct Overloaded : Callables... {
  using Callables::operator()...;
};
template <typename... Callables>
Overloaded(Callables...) -> Overloaded<Callables...>;

int dispatch(const CommandLine& line) {
  const GlobalArgs& global = line.global;
  return std::visit(Overloaded{[&](const RunArgs& args) { return run_command(global, args); },
                               [&](const ValidateArgs& args) { return validate_command(global, args); },
                               [&](const PlanArgs& args) { return plan_command(global, args); },
                               [&](const DoctorArgs& args) { return doctor_command(global, args); },
                               [&](const HaltArgs& args) { return halt_command(global, args); },
                               [&](const RunsArgs& args) { return runs_command(global, args); }},
                    line.command);
}

int run_main(std::vector<std::string> arguments) {
  const auto parsed = parse_command_line(std::move(arguments));
  if (const auto* end = std::get_if<ParseEnd>(&parsed)) {
    std::fputs(end->text.c_str(), end->exit_code == kExitPassed ? stdout : stderr);
    return end->exit_code;
  }
  const auto& line = std::get<CommandLine>(parsed);
  init_logging("faultline", line.global.log_level);
  return dispatch(line);
}

}  // namespace
}  // namespace faultline

int main(int argc, char** argv) {
  // A reader that goes away (`faultline run x | head`) must not end a run with its faults active.
  std::signal(SIGPIPE, SIG_IGN);
  // What goes wrong in gRPC comes back as an error, which is told once. An own setting of the user's stays.
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
  try {
    return faultline::run_main(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "faultline: internal error: %s\n", error.what());
    return faultline::kExitInfrastructure;
  }
}
