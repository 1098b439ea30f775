// One function a subcommand; each in its own file NAME_command.cc. They print, and return the exit code.
#pragma once

#include "controller/cli/command_line.h"

namespace faultline {

int run_command(const GlobalArgs& global, const RunArgs& args);
int validate_command(const GlobalArgs& global, const ValidateArgs& args);
int plan_command(const GlobalArgs& global, const PlanArgs& args);
int doctor_command(const GlobalArgs& global, const DoctorArgs& args);
int halt_command(const GlobalArgs& global, const HaltArgs& args);
int runs_command(const GlobalArgs& global, const RunsArgs& args);

}  // namespace faultline
