#include "controller/cli/command_line.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "controller/cli/exit_code.h"

namespace faultline {
namespace {

CommandLine parsed(std::vector<std::string> arguments) {
  auto result = parse_command_line(std::move(arguments));
  if (const auto* end = std::get_if<ParseEnd>(&result)) throw std::runtime_error(end->text);
  return std::get<CommandLine>(result);
}

ParseEnd ended(std::vector<std::string> arguments) {
  const auto result = parse_command_line(std::move(arguments));
  if (const auto* end = std::get_if<ParseEnd>(&result)) return *end;
  return {-1, "it was accepted"};
}

TEST(CommandLine, ReadsEverySubcommand) {
  const auto run = std::get<RunArgs>(parsed({"run", "x.yaml", "--out", "dir", "--no-store"}).command);
  EXPECT_EQ(run.file, "x.yaml");
  EXPECT_EQ(run.out, "dir");
  EXPECT_TRUE(run.no_store);
  EXPECT_FALSE(std::get<RunArgs>(parsed({"run", "x.yaml"}).command).no_store);
  EXPECT_EQ(std::get<ValidateArgs>(parsed({"validate", "x.yaml"}).command).file, "x.yaml");
  EXPECT_EQ(std::get<PlanArgs>(parsed({"plan", "x.yaml"}).command).file, "x.yaml");
  EXPECT_TRUE(std::get<DoctorArgs>(parsed({"doctor", "--json"}).command).json);
  EXPECT_TRUE(std::get<DoctorArgs>(parsed({"doctor", "--markdown"}).command).markdown);
  EXPECT_EQ(std::get<HaltArgs>(parsed({"halt", "--reason", "too much"}).command).reason, "too much");
  EXPECT_TRUE(std::get<HaltArgs>(parsed({"halt", "--release"}).command).release);
  EXPECT_EQ(std::get<RunsArgs>(parsed({"runs"}).command).id, "");
  EXPECT_EQ(std::get<RunsArgs>(parsed({"runs", "2026"}).command).id, "2026");
}

TEST(CommandLine, GlobalOptionsStandBeforeOrAfterTheSubcommand) {
  for (const auto& line : {parsed({"--agent", "unix:/a", "--store", "/s", "doctor"}),
                           parsed({"doctor", "--agent", "unix:/a", "--store", "/s"})}) {
    EXPECT_EQ(line.global.agent.address, "unix:/a");
    EXPECT_EQ(line.global.store, "/s");
  }
  const GlobalArgs tls = parsed({"--agent", "h:1", "--tls-ca", "a", "--tls-cert", "b", "--tls-key", "c",
                                 "--log-level", "debug", "doctor"})
                             .global;
  EXPECT_EQ(tls.agent.tls_ca + tls.agent.tls_cert + tls.agent.tls_key, "abc");
  EXPECT_EQ(tls.log_level, "debug");
}

TEST(CommandLine, AgentComesFromTheOptionThenTheEnvironmentThenTheDefault) {
  ::unsetenv("FAULTLINE_AGENT");
  EXPECT_EQ(parsed({"doctor"}).global.agent.address, "unix:/run/faultline/agent.sock");
  ::setenv("FAULTLINE_AGENT", "unix:/env", 1);
  EXPECT_EQ(parsed({"doctor"}).global.agent.address, "unix:/env");
  EXPECT_EQ(parsed({"--agent", "unix:/option", "doctor"}).global.agent.address, "unix:/option");
  ::unsetenv("FAULTLINE_AGENT");
}

TEST(CommandLine, BadUsageIsExitCode2) {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"bogus"},
      {"run"},
      {"run", "a", "b"},
      {"run", "a", "--bogus"},
      {"run", "a", "--out"},
      {"doctor", "--json", "--markdown"},
      {"halt", "--release", "--reason", "x"},
      {"runs", "a", "b"},
      {"--log-level", "loud", "doctor"},
      {"validate", "a", "plan", "b"},
  };
  for (const auto& arguments : cases) {
    const ParseEnd end = ended(arguments);
    EXPECT_EQ(end.exit_code, kExitUsage) << (arguments.empty() ? "" : arguments.front()) << ": " << end.text;
    EXPECT_NE(end.text, "");
  }
  EXPECT_EQ(ended({"bogus"}).text.substr(0, 30), "'bogus' is not a subcommand\nRu");
}

TEST(CommandLine, HelpAndVersionAreNoErrors) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"run", "--help"}, {"halt", "-h"}, {"--version"}}) {
    const ParseEnd end = ended(arguments);
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_NE(end.text.find("faultline"), std::string::npos) << end.text;
  }
}

TEST(CommandLine, TheHelpOfEverySubcommandListsTheGlobalOptions) {
  const std::string program = ended({"--help"}).text;
  EXPECT_EQ(program.find("Global options, before or after"), std::string::npos) << "these are its own";
  for (const char* name : {"run", "validate", "plan", "doctor", "halt", "runs"}) {
    const std::string text = ended({name, "--help"}).text;
    const std::size_t heading = text.find("\nGlobal options, before or after the subcommand:\n");
    ASSERT_NE(heading, std::string::npos) << text;
    for (const char* option : {"--agent", "--tls-ca", "--tls-cert", "--tls-key", "--store", "--log-level"}) {
      const std::size_t line = program.find(std::string("  ") + option);
      ASSERT_NE(line, std::string::npos) << option;
      // Told alike in both places.
      EXPECT_NE(text.find(program.substr(line, program.find('\n', line) - line), heading), std::string::npos)
          << option << " in " << text;
    }
    EXPECT_EQ(text.find("--version"), std::string::npos) << "it ends the program wherever it stands";
  }
}

TEST(ExitCode, SaysWhoseErrorItIs) {
  EXPECT_EQ(exit_code_before_run(ok_status()), 0);
  for (const StatusCode code :
       {StatusCode::kInvalidArgument, StatusCode::kNotFound, StatusCode::kPermissionDenied}) {
    EXPECT_EQ(exit_code_before_run(Status(code, "x")), 2);
  }
  for (const StatusCode code : {StatusCode::kUnimplemented, StatusCode::kFailedPrecondition}) {
    EXPECT_EQ(exit_code_before_run(Status(code, "x")), 3);
  }
  for (const StatusCode code : {StatusCode::kUnavailable, StatusCode::kDeadlineExceeded,
                                StatusCode::kInternal, StatusCode::kUnknown, StatusCode::kAlreadyExists}) {
    EXPECT_EQ(exit_code_before_run(Status(code, "x")), 7);
  }
}

}  // namespace
}  // namespace faultline
