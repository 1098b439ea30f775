#include "controller/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <sstream>

#include "controller/cli/exit_code.h"

namespace faultline {
namespace {

constexpr char kDescription[] =
    "Injects faults into running services, watches their health, and proves that they recover.";

constexpr char kFooter[] = R"(Examples:
  faultline doctor                              what this node can do
  faultline validate gateway.yaml               is the file right? Needs no agent
  faultline plan gateway.yaml                   what a run would do; touches nothing
  faultline run gateway.yaml --out results/     run it; reports go to results/
  faultline halt --reason "customers affected"  end every fault now, and let none start
  faultline halt --release                      let runs start again
  faultline run --help                          the options of a subcommand

Exit codes of run:
  0 passed          1 failed: hypothesis violated, or not recovered in time
  2 bad usage or experiment file                 3 precondition not met, nothing injected
  4 inconclusive: a fault was not effective      5 stopped by a stop condition or by halt
  6 residue left, or cleanup not proved          7 infrastructure: agent, database, network
  130 ended by a signal, everything reverted and proved)";

constexpr char kRunFooter[] =
    R"(Progress goes to standard output, redrawn in place on a terminal. Ctrl-C reverts every fault, proves it and exits
with 130. DIR gets journal.json, junit.xml and summary.md; default: runs/ID in the state directory
($XDG_STATE_HOME/faultline, else ~/.local/state/faultline). Those of an earlier run in DIR are removed first, and a run
that is refused before it begins leaves new ones there, too, with the reason; nothing else in DIR is touched. Where one
of the three names is taken by a file that is no report, it stays, and the run is refused with exit code 2.

Example:
  faultline run gateway.yaml --out results/)";

constexpr char kHaltFooter[] =
    R"(The lever is sticky: until it is released, no run of this user starts. Runs under way end with exit code 5, and the
agent at --agent reverts all of its faults, whoever asked for them.

Examples:
  faultline halt --reason "customers affected"
  faultline halt --release)";

constexpr char kDoctorFooter[] =
    R"(A limit is what this node cannot do of a kind that it supports. docs/kernel-support.md compares kernels.

Exit code 0: every fault kind works on this node; 1: some do not; 7: the agent does not answer.)";

// The library lists a subcommand's own options only; the global ones stand after it just as well.
class HelpText final : public CLI::Formatter {
 public:
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override {
    const CLI::App* program = app->get_parent();
    if (program == nullptr) return CLI::Formatter::make_subcommands(app, mode);
    const auto is_global = [&](const CLI::Option* option) {
      return option != program->get_help_ptr() && option != program->get_version_ptr();
    };
    return make_group("Global options, before or after the subcommand", false,
                      program->get_options(is_global));
  }
};

void add_global_options(CLI::App& app, GlobalArgs& args) {
  args.agent.address = "unix:/run/faultline/agent.sock";
  app.add_option("--agent", args.agent.address, "The node agent: unix:/PATH or HOST:PORT (with certificates)")
      ->envname("FAULTLINE_AGENT")
      ->capture_default_str();
  app.add_option("--tls-ca", args.agent.tls_ca, "PEM file: who may have signed the agent's certificate");
  app.add_option("--tls-cert", args.agent.tls_cert, "PEM file: our certificate");
  app.add_option("--tls-key", args.agent.tls_key, "PEM file: its private key");
  app.add_option("--store", args.store, "Results database; default: results.db in the state directory");
  app.add_option("--log-level", args.log_level, "What is logged to standard error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.set_version_flag("--version", "faultline " FAULTLINE_VERSION);
}

// An experiment file of that name; "-" and folders are for the reader to refuse.
CLI::App* add_file_command(CLI::App& app, const char* name, const char* about, std::string& file) {
  CLI::App* command = app.add_subcommand(name, about);
  command->add_option("FILE", file, "Experiment file (YAML)")->required();
  return command;
}

}  // namespace

std::variant<CommandLine, ParseEnd> parse_command_line(std::vector<std::string> arguments) {
  CLI::App app(kDescription, "faultline");
  app.formatter(std::make_shared<HelpText>());  // before the subcommands, which inherit it
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();  // global options may also come after the subcommand
  CommandLine line;
  add_global_options(app, line.global);

  RunArgs run;
  CLI::App* run_command = add_file_command(app, "run", "Run an experiment and judge it", run.file);
  run_command->add_option("--out", run.out, "Folder for the reports")->type_name("DIR");
  run_command->add_flag("--no-store", run.no_store, "Do not record the run in the results database");
  run_command->footer(kRunFooter);

  ValidateArgs validate;
  const CLI::App* validate_command =
      add_file_command(app, "validate", "Check an experiment file; needs no agent", validate.file);

  PlanArgs plan;
  const CLI::App* plan_command =
      add_file_command(app, "plan", "Show what a run would do; touches nothing", plan.file);

  DoctorArgs doctor;
  CLI::App* doctor_command = app.add_subcommand("doctor", "Show what this node can do, how, and why not");
  CLI::Option* markdown =
      doctor_command->add_flag("--markdown", doctor.markdown, "As a Markdown section with a table");
  doctor_command->add_flag("--json", doctor.json, "As JSON")->excludes(markdown);
  doctor_command->footer(kDoctorFooter);

  HaltArgs halt;
  CLI::App* halt_command = app.add_subcommand("halt", "End every fault now, and let no run start");
  CLI::Option* reason =
      halt_command->add_option("--reason", halt.reason, "Kept with the lever and in the results");
  halt_command->add_flag("--release", halt.release, "Let runs start again")->excludes(reason);
  halt_command->footer(kHaltFooter);

  RunsArgs runs;
  CLI::App* runs_command = app.add_subcommand("runs", "List the recorded runs, newest first, or show one");
  runs_command->add_option("ID", runs.id, "A run's id, or the beginning of it");

  try {
    std::reverse(arguments.begin(), arguments.end());  // as the library wants them
    app.parse(std::move(arguments));
  } catch (const CLI::RequiredError& error) {
    // The library tells what is missing, not that a word it does not know stands there instead.
    const std::vector<std::string> unknown = app.remaining();
    const std::string what = unknown.empty() ? error.what() : "'" + unknown.front() + "' is not a subcommand";
    return ParseEnd{kExitUsage, what + "\nRun with --help for more information.\n"};
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const bool asked_for = app.exit(error, out, err) == 0;
    return ParseEnd{asked_for ? kExitPassed : kExitUsage, asked_for ? out.str() : err.str()};
  }

  if (run_command->parsed()) {
    line.command = run;
  } else if (validate_command->parsed()) {
    line.command = validate;
  } else if (plan_command->parsed()) {
    line.command = plan;
  } else if (doctor_command->parsed()) {
    line.command = doctor;
  } else if (halt_command->parsed()) {
    line.command = halt;
  } else {
    line.command = runs;
  }
  return line;
}

}  // namespace faultline
