// What a run leaves for people and for other programs: the complete journal, JUnit XML for CI, and a short
// summary. The three texts are pure functions of the experiment and the record: same input, same bytes. Any
// thread. docs/results.md describes the formats.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "controller/experiment/model.h"
#include "controller/experiment/record.h"

namespace faultline {

// Of the journal's layout. Raised when a field changes its meaning or goes; not when one is added.
inline constexpr int kJournalSchemaVersion = 1;

// The complete record as JSON (UTF-8, one sample a line, ends in a newline). Bytes that are not UTF-8 become
// U+FFFD.
std::string journal_json(const Experiment& experiment, const RunRecord& run);

// One testsuite; a testcase per finding. VIOLATED is a <failure>, UNKNOWN an <error>, or <skipped> where an
// unmet precondition kept the check from being made. A run that did not pass never reads as all green: where
// no finding says so, a testcase "verdict" does.
std::string junit_xml(const Experiment& experiment, const RunRecord& run);

// GitHub-flavoured Markdown of at most about 60 lines; longer tables end in "and N more".
std::string markdown_summary(const Experiment& experiment, const RunRecord& run);

// Makes `dir` where it is missing, and removes the reports of an earlier run from it. Where something else
// has one of their names, ALREADY_EXISTS, and nothing is removed.
Status clear_reports(const std::string& dir);

// Writes journal.json, junit.xml and summary.md into `dir` (created where missing), each whole or not at all;
// files of these names are replaced, whatever they are (clear_reports() comes first). Answers with the three
// paths, in this order.
StatusOr<std::vector<std::string>> write_reports(const Experiment& experiment, const RunRecord& run,
                                                 const std::string& dir);

// runs/ID in state_dir().
StatusOr<std::string> default_run_dir(const std::string& run_id);

}  // namespace faultline
