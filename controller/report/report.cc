#include "controller/report/report.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "controller/report/own_report.h"
#include "controller/store/atomic_file.h"
#include "controller/store/state_dir.h"

namespace faultline {

namespace {

constexpr std::array kNames = {"journal.json", "junit.xml", "summary.md"};

}  // namespace

Status clear_reports(const std::string& dir) {
  FL_RETURN_IF_ERROR(annotate(make_dirs(dir), "reports"));
  // All of them before the first is removed: a folder that is refused stays as it is.
  for (const char* name : kNames) FL_RETURN_IF_ERROR(annotate(check_replaceable(dir, name), "reports"));
  for (const char* name : kNames) {
    const std::string path = fmt::format("{}/{}", dir, name);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return errno_status(errno, fmt::format("reports: remove the old {}", path));
    }
  }
  return ok_status();
}

StatusOr<std::vector<std::string>> write_reports(const Experiment& experiment, const RunRecord& run,
                                                 const std::string& dir) {
  FL_RETURN_IF_ERROR(annotate(make_dirs(dir), "reports"));
  const std::array<std::string, kNames.size()> texts = {
      journal_json(experiment, run), junit_xml(experiment, run), markdown_summary(experiment, run)};
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    paths.push_back(fmt::format("{}/{}", dir, kNames[i]));
    FL_RETURN_IF_ERROR(annotate(write_file_atomically(paths.back(), texts[i]), "reports"));
  }
  return paths;
}

StatusOr<std::string> default_run_dir(const std::string& run_id) {
  FL_ASSIGN_OR_RETURN(const std::string dir, state_dir());
  return fmt::format("{}/runs/{}", dir, run_id);
}

}  // namespace faultline
