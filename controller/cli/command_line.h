// The command line as data. Parsing touches nothing but the arguments and the environment variable
// FAULTLINE_AGENT.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "controller/clients/agent_address.h"

namespace faultline {

struct GlobalArgs {
  AgentAddress agent;
  std::string store;  // empty: the default
  std::string log_level = "warn";
};

struct RunArgs {
  std::string file;
  std::string out;  // empty: the default
  bool no_store = false;
};
struct ValidateArgs {
  std::string file;
};
struct PlanArgs {
  std::string file;
};
struct DoctorArgs {
  bool markdown = false;
  bool json = false;
};
struct HaltArgs {
  std::string reason;
  bool release = false;
};
struct RunsArgs {
  std::string id;  // or a prefix of it; empty: list
};

struct CommandLine {
  GlobalArgs global;
  std::variant<RunArgs, ValidateArgs, PlanArgs, DoctorArgs, HaltArgs, RunsArgs> command;
};

// Nothing to run: help, version or an error.
struct ParseEnd {
  int exit_code = 0;  // 0, or 2 for bad usage
  std::string text;   // for stdout when the code is 0, else for stderr
};

// `arguments` without the program's name.
std::variant<CommandLine, ParseEnd> parse_command_line(std::vector<std::string> arguments);

}  // namespace faultline
