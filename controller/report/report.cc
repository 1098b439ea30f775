#include "controller/report/report.h"

#include <array>
#include <utility>

#include "controller/store/atomic_file.h"
#include "controller/store/state_dir.h"

namespace faultline {

StatusOr<std::vector<std::string>> write_reports(const Experiment& experiment, const RunRecord& run,
                                                 const std::string& dir) {
  FL_RETURN_IF_ERROR(annotate(make_dirs(dir), "reports"));
  const std::array<std::pair<const char*, std::string>, 3> files = {{
      {"journal.json", journal_json(experiment, run)},
      {"junit.xml", junit_xml(experiment, run)},
      {"summary.md", markdown_summary(experiment, run)},
  }};
  std::vector<std::string> paths;
  for (const auto& [name, text] : files) {
    paths.push_back(fmt::format("{}/{}", dir, name));
    FL_RETURN_IF_ERROR(annotate(write_file_atomically(paths.back(), text), "reports"));
  }
  return paths;
}

StatusOr<std::string> default_run_dir(const std::string& run_id) {
  FL_ASSIGN_OR_RETURN(const std::string dir, state_dir());
  return fmt::format("{}/runs/{}", dir, run_id);
}

}  // namespace faultline
