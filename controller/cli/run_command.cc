#include <cstdio>
#include <vector>

#include "controller/cli/commands.h"
#include "controller/cli/exit_code.h"
#include "controller/cli/new_run_id.h"
#include "controller/cli/progress.h"
#include "controller/cli/run_start.h"
#include "controller/cli/run_summary.h"
#include "controller/cli/text.h"
#include "controller/experiment/experiment_file.h"
#include "controller/experiment/refused_run.h"
#include "controller/report/report.h"

namespace faultline {
namespace {

void write_stdout(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

Status write_and_tell_reports(const Experiment& experiment, const RunRecord& run, const std::string& dir) {
  FL_ASSIGN_OR_RETURN(const std::vector<std::string> paths, write_reports(experiment, run, dir));
  write_stdout("reports:\n");
  for (const std::string& path : paths) write_stdout(fmt::format("  {}\n", printable(path)));
  return ok_status();
}

// Writes the reports and finishes the stored run; both are tried whatever becomes of the other.
Status keep_results(const Experiment& experiment, const RunRecord& run, const std::string& dir,
                    ResultStore* store) {
  const Status reported = write_and_tell_reports(experiment, run, dir);
  if (store != nullptr) FL_RETURN_IF_ERROR(store->finish_run(run, journal_json(experiment, run)));
  return reported;
}

// Who asked for reports in a folder of their own, as CI does, gets them of a refused run, too.
int refuse(const RunArgs& args, const Experiment& experiment, RunRecord asked, const Refusal& refusal) {
  fail(refusal.exit_code, refusal.why);
  if (args.out.empty()) return refusal.exit_code;
  asked.duration = wall_now() - asked.started;
  const RunRecord run = refused_run(std::move(asked), refusal.exit_code, message_of(refusal.why));
  const Status reported = write_and_tell_reports(experiment, run, args.out);
  return reported.ok() ? refusal.exit_code : fail(refusal.exit_code, reported);
}

RunRecord run_with_progress(const Experiment& experiment, RunStart& start) {
  Progress progress(experiment, start.begun.start, inspect_stdout(), write_stdout);
  RunParts parts{.agent = *start.agent,
                 .observer = progress,
                 .probes = std::move(start.probes),
                 .halted = [&start] { return start.lever.engaged(); },
                 .signal = [&start] { return start.signals.received(); },
                 .timing = {}};
  return run_experiment(experiment, start.checked, std::move(start.begun), std::move(parts));
}

int run(const Experiment& experiment, RunStart start) {
  write_stdout(fmt::format("run {}: {}\n", start.begun.record.id, printable(experiment.name)));
  const RunRecord run = run_with_progress(experiment, start);
  write_stdout(printable(run_summary(run)));
  const Status kept = keep_results(experiment, run, start.report_dir, start.store.get());
  if (!kept.ok()) {
    fail(kExitInfrastructure, annotate(kept, "the results could not be kept"));
    if (run.judgement.exit_code < kExitResidue) return kExitInfrastructure;
  }
  return run.judgement.exit_code;
}

}  // namespace

int run_command(const GlobalArgs& global, const RunArgs& args) {
  // Whatever becomes of this run, even if it is killed: the reports of an earlier one are not its own.
  // What is no report is not ours to remove.
  if (!args.out.empty()) {
    if (const Status cleared = clear_reports(args.out); !cleared.ok()) return fail(kExitUsage, cleared);
  }
  RunRecord asked;
  asked.id = new_run_id();
  asked.experiment = args.file;
  asked.agent = global.agent.address;
  asked.started = wall_now();
  const StatusOr<Experiment> experiment = load_experiment(args.file);
  if (!experiment.ok()) {
    Experiment unread;
    unread.file = args.file;
    return refuse(args, unread, std::move(asked), {kExitUsage, experiment.status()});
  }
  asked.experiment = experiment->name;
  auto started = start_run(global, args, *experiment, asked.id);
  if (const auto* refusal = std::get_if<Refusal>(&started)) {
    return refuse(args, *experiment, std::move(asked), *refusal);
  }
  return run(*experiment, std::get<RunStart>(std::move(started)));
}

}  // namespace faultline
